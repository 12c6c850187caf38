using TestKit.Origins;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>
/// nginx behind the proxy for everything, and a Kestrel origin behind the paths that nginx has no answer for.
/// </summary>
public class OriginFixture : IAsyncLifetime
{
    public ProxyProcess Proxy { get; private set; } = null!;

    public NginxOrigin Nginx { get; private set; } = null!;

    public KestrelOrigin Kestrel { get; private set; } = null!;

    /// <summary>The files nginx has.</summary>
    protected virtual long[] Lengths => [.. BodyTests.Lengths];

    public async ValueTask InitializeAsync()
    {
        Nginx = await NginxOrigin.StartAsync(Lengths);
        Kestrel = await KestrelOrigin.StartAsync();
        Dictionary<string, Uri> origins = KestrelPaths.ToDictionary(path => path, _ => Kestrel.Address);
        origins.Add("", Nginx.Address);
        Proxy = await ProxyProcess.StartAsync(new ProxySettings { Origins = origins });
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

    private static readonly string[] KestrelPaths =
        ["/hello", "/headers", "/pattern", "/slow", "/never", "/websocket", "/sink"];
}
