using System.Net;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections.Features;

namespace TlsProxy.Proxy;

/// <summary>
/// Answers every request while no route is configured, so that a bare start shows something: the connection
/// it came over.
/// </summary>
internal static class DemoOrigin
{
    public static Task AnswerAsync(HttpContext context)
    {
        ITlsHandshakeFeature? tls = context.Features.Get<ITlsHandshakeFeature>();
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(Page(
            WebUtility.HtmlEncode(context.Request.Protocol),
            tls is null ? "none" : DescribeVersion(tls.Protocol),
            tls?.NegotiatedCipherSuite?.ToString() ?? "none",
            context.Connection.RemoteIpAddress));
    }

    private static string DescribeVersion(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls12 => "TLS 1.2",
        SslProtocols.Tls13 => "TLS 1.3",
        _ => protocol.ToString(),
    };

    private static string Page(string protocol, string version, string suite, IPAddress? client) => $"""
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>TlsProxy</title></head>
        <body>
        <h1>TlsProxy works</h1>
        <p>This page comes from the built-in demo origin, because no route is configured.
        README.md shows a first configuration: one listener, one route.</p>
        <table>
        <tr><td>HTTP</td><td>{protocol}</td></tr>
        <tr><td>TLS</td><td>{version}</td></tr>
        <tr><td>Cipher suite</td><td>{suite}</td></tr>
        <tr><td>Your address</td><td>{client}</td></tr>
        </table>
        </body>
        </html>

        """;
}
