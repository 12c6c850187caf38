using System.Reflection;
using Ktls.Backends;
using Yarp.ReverseProxy.Forwarder;

namespace TlsProxy.Proxy;

/// <summary>
/// YARP's factory of HTTP clients, with every setting of YARP's own; what it adds is where the connections live (docs/decisions/0013).
/// </summary>
internal class LoopHttpClientFactory(ILogger<ForwarderHttpClientFactory> log, BackendConnector connector)
    : ForwarderHttpClientFactory(log)
{
    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler)
    {
        SocketsHttpHandler ordinary = (SocketsHttpHandler)handler;
        HttpMessageHandler wrapped = base.WrapHandler(context, handler);
        return ordinary.UseProxy ? wrapped : new LoopHttpHandler(wrapped, LoopHandlers(ordinary));
    }

    // A limit that the user set for the cluster is one for all loops: then they share one pool of connections, and some answers change
    // their thread. Without one each loop has a pool of its own.
    private HttpMessageHandler[] LoopHandlers(SocketsHttpHandler ordinary) =>
        ordinary.MaxConnectionsPerServer < int.MaxValue
            ? [LoopHandler(ordinary, () => BackendConnector.NearestLoop)]
            : [.. Enumerable.Range(0, BackendConnector.LoopCount).Select(loop => LoopHandler(ordinary, () => loop))];

    private SocketsHttpHandler LoopHandler(SocketsHttpHandler ordinary, Func<int> loop)
    {
        SocketsHttpHandler handler = CopyOf(ordinary);
        handler.ConnectCallback = (context, stop) => connector.ConnectAsync(loop(), context.DnsEndPoint, stop);
        return handler;
    }

    /// <summary>Another handler with the same settings, whichever YARP sets now or in its next version.</summary>
    internal static SocketsHttpHandler CopyOf(SocketsHttpHandler ordinary)
    {
        SocketsHttpHandler copy = new();
        foreach (PropertyInfo setting in typeof(SocketsHttpHandler).GetProperties().Where(p => p.CanWrite))
        {
            setting.SetValue(copy, setting.GetValue(ordinary));
        }

        return copy;
    }
}
