using TestKit.Origins;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.Soak;

/// <summary>
/// A proxy on both sides of n*, with an origin that checks, two that reset inside the body and one that is killed again and again.
/// </summary>
public sealed class SoakFixture : IAsyncLifetime
{
    private readonly RawOrigin _cutLength = RawOrigin.ResettingAfter("HTTP/1.1 200 OK\r\nContent-Length: 100000", "a short body");
    private readonly RawOrigin _cutChunk = RawOrigin.ResettingAfter("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "c\r\na short body\r\n");
    private NginxOrigin _mortal = null!;

    public ProxyProcess Proxy { get; private set; } = null!;

    public KestrelOrigin Kestrel { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _mortal = await NginxOrigin.StartAsync(MortalLength);
        Kestrel = await KestrelOrigin.StartAsync();
        Dictionary<string, Uri> origins = new()
        {
            [""] = Kestrel.Address,
            ["/cut-length"] = _cutLength.Address,
            ["/cut-chunk"] = _cutChunk.Address,
            ["/throttled"] = _mortal.Address,
        };
        Proxy = await ProxyProcess.StartAsync(new ProxySettings { Origins = origins, Metered = true, PagesFlipThreshold = 16 * 1024 });
    }

    /// <summary>Kills the one origin and starts it again, until the end.</summary>
    public async Task KillAndRestartAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None);
            await _mortal.KillAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(300), CancellationToken.None);
            await _mortal.RestartAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Proxy is not null)
        {
            await Proxy.DisposeAsync();
        }

        await Kestrel.DisposeAsync();
        await _mortal.DisposeAsync();
        await _cutLength.DisposeAsync();
        await _cutChunk.DisposeAsync();
    }

    /// <summary>At 256 KiB/s, of which the first second's is a burst: long enough to be killed in.</summary>
    public const long MortalLength = 600_000;
}
