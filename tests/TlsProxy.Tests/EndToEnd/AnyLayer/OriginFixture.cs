using TestKit.Origins;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>
/// nginx behind the proxy for everything, and a Kestrel origin behind the paths that nginx has no answer for.
/// </summary>
public class OriginFixture : IAsyncLifetime
{
    public ProxyProcess Proxy { get; private set; } = null!;

    public NginxOrigin Nginx { get; private set; } = null!;

    public KestrelOrigin Kestrel { get; private set; } = null!;

    /// <summary>The files nginx has.</summary>
    protected virtual long[] Lengths => [.. LengthsAroundARecord];

    public async ValueTask InitializeAsync()
    {
        Nginx = await NginxOrigin.StartAsync(Lengths);
        Kestrel = await KestrelOrigin.StartAsync();
        Proxy = await ProxyProcess.StartAsync(new ProxySettings { Origins = Routes(Nginx, Kestrel) });
    }

    public async ValueTask DisposeAsync()
    {
        if (Proxy is not null)
        {
            await Proxy.DisposeAsync();
        }

        await Kestrel.DisposeAsync();
        await Nginx.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>The origins' addresses: nginx for everything, Kestrel for what only it can answer.</summary>
    public static Dictionary<string, Uri> Routes(NginxOrigin nginx, KestrelOrigin kestrel)
    {
        Dictionary<string, Uri> routes = KestrelPaths.ToDictionary(path => path, _ => kestrel.Address);
        routes.Add("", nginx.Address);
        return routes;
    }

    /// <summary>Around nothing, around one record (2^14), and many records.</summary>
    public static readonly long[] LengthsAroundARecord = [0, 1, 16383, 16384, 16385, 1 << 20];

    private static readonly string[] KestrelPaths =
        ["/hello", "/headers", "/pattern", "/slow", "/never", "/websocket", "/sink"];
}
