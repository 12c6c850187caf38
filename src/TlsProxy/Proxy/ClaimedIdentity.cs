namespace TlsProxy.Proxy;

/// <summary>
/// Removes what a client claims about itself in headers that backends take from a proxy. Before routing and before YARP's transforms, so
/// that no route is chosen by such a claim and what the configuration adds stays. X-Forwarded-For, -Proto, -Host and -Prefix are replaced by YARP.
/// </summary>
internal static class ClaimedIdentity
{
    public static Task RemoveAsync(HttpContext context, RequestDelegate next)
    {
        foreach (string name in Names)
        {
            context.Request.Headers.Remove(name);
        }

        return next(context);
    }

    // RFC 7239; RFC 9440 section 2.4, which demands it; and what is used in their place.
    private static readonly string[] Names =
    [
        "Forwarded", "X-Forwarded-Port", "X-Real-IP", "Client-Cert", "Client-Cert-Chain", "X-Forwarded-Client-Cert",
    ];
}
