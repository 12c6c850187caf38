using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace TlsProxy.Proxy;

/// <summary>
/// Refuses HTTP/2 requests with fields that belong to a connection of HTTP/1.1, which make them malformed (RFC 9113 section 8.2.2). Kestrel
/// refuses Connection and TE itself and lets the others through; written as HTTP/1.1, each of them would mean something that was not sent.
/// </summary>
internal static class ConnectionFields
{
    public static Task RefuseAsync(HttpContext context, RequestDelegate next)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol) || !Names.Any(context.Request.Headers.ContainsKey))
        {
            return next(context);
        }

        context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(ProtocolError);
        return Task.CompletedTask;
    }

    // RFC 9113 section 7.
    private const int ProtocolError = 1;

    private static readonly string[] Names =
    [
        HeaderNames.KeepAlive, HeaderNames.ProxyConnection, HeaderNames.TransferEncoding, HeaderNames.Upgrade,
    ];
}
