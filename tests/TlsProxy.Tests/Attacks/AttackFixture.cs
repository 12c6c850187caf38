using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd;
using Xunit;

namespace TlsProxy.Tests.Attacks;

/// <summary>The proxy that most attacks share, and the origins of all.</summary>
public sealed class AttackFixture : IAsyncLifetime
{
    private readonly RawOrigin _deaf = RawOrigin.NeverReading();
    private KestrelOrigin _kestrel = null!;
    private ProxyBaseline? _start;

    public ProxyProcess Proxy { get; private set; } = null!;

    /// <summary>Behind everything that no other origin is behind.</summary>
    public RecordingOrigin Recorder { get; } = new();

    /// <summary>Behind /throttled; attacks kill it.</summary>
    public NginxOrigin Mortal { get; private set; } = null!;

    /// <summary>What the recorder may be sent of the attack that runs, or ran last.</summary>
    public SentRequests Sent { get; set; } = new();

    /// <summary>The rows of the table, as they come.</summary>
    internal AttackTable Table { get; } = new();

    public Task<ProxyProcess> StartProxyAsync(Func<ProxySettings, ProxySettings>? change = null)
    {
        ProxySettings settings = new()
        {
            Metered = true,
            Origins = new Dictionary<string, Uri>
            {
                [""] = Recorder.Address,
                ["/pattern"] = _kestrel.Address,
                ["/slow"] = _kestrel.Address,
                ["/throttled"] = Mortal.Address,
                ["/deaf"] = _deaf.Address,
            },
        };
        return ProxyProcess.StartAsync(change?.Invoke(settings) ?? settings);
    }

    public async ValueTask InitializeAsync()
    {
        Mortal = await NginxOrigin.StartAsync(MortalLength);
        _kestrel = await KestrelOrigin.StartAsync();
        Proxy = await StartProxyAsync();
        await using AttackScene warmUp = new(Proxy, this);
        await warmUp.ServeGoodClientAsync();
        _start = await ProxyBaseline.TakeAsync(Proxy);
    }

    /// <summary>The recorder has seen nothing but what was sent, once each, in the one way it can be read.</summary>
    public void AssertNothingForged()
    {
        Assert.Equal([], Recorder.TakeRequests().Where(arrived => !Sent.Covers(arrived)));
        Assert.Equal([], Recorder.TakeViolations());
    }

    public async ValueTask DisposeAsync()
    {
        Table.WriteWhenWhole();
        try
        {
            await (_start?.AssertNothingAddedUpAsync() ?? Task.CompletedTask);
        }
        finally
        {
            await EndAsync();
        }

        AssertNothingForged();
    }

    private async Task EndAsync()
    {
        if (Proxy is not null)
        {
            await Proxy.DisposeAsync();
        }

        await Recorder.UntilAloneAsync();
        await _kestrel.DisposeAsync();
        await Mortal.DisposeAsync();
        await _deaf.DisposeAsync();
        await Recorder.DisposeAsync();
    }

    /// <summary>A body of /throttled takes seconds.</summary>
    public const long MortalLength = 1 << 20;
}
