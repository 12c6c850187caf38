using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace TlsProxy.Proxy;

/// <summary>
/// Refuses what Kestrel takes and a backend could understand differently once it is written as HTTP/1.1 anew: HTTP/2 requests with fields of an
/// HTTP/1.1 connection, which are malformed (RFC 9113 section 8.2.2; Kestrel refuses Connection and TE itself), and transfer codings other than
/// one chunked, which would be taken off without being undone (RFC 9112 section 6.1).
/// </summary>
internal static class RequestFraming
{
    public static Task RefuseUnclearAsync(HttpContext context, RequestDelegate next)
    {
        IHeaderDictionary headers = context.Request.Headers;
        if (HttpProtocol.IsHttp2(context.Request.Protocol) && ConnectionFields.Any(headers.ContainsKey))
        {
            context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(ProtocolError);
            return Task.CompletedTask;
        }

        if (headers.TransferEncoding is { Count: > 0 } codings && !string.Equals(codings, "chunked", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.StatusCode = StatusCodes.Status501NotImplemented;
            context.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        }

        return next(context);
    }

    // RFC 9113 section 7.
    private const int ProtocolError = 1;

    private static readonly string[] ConnectionFields =
    [
        HeaderNames.KeepAlive, HeaderNames.ProxyConnection, HeaderNames.TransferEncoding, HeaderNames.Upgrade,
    ];
}
