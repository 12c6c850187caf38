using System.Diagnostics;
using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>One proxy with a listener for each choice of layers, before an nginx and a Kestrel: a start is dear where a page fault is.</summary>
public sealed class KernelProxies : IAsyncLifetime
{
    private readonly Stopwatch _age = new();
    private ProxyProcess _process = null!;

    public NginxOrigin Nginx { get; private set; } = null!;

    public KestrelOrigin Kestrel { get; private set; } = null!;

    /// <summary>The proxy through the listener with these layers.</summary>
    public ProxyProcess this[LayerChoice layers] => _process.Through($"{layers}");

    public async ValueTask InitializeAsync()
    {
        Nginx = await NginxOrigin.StartAsync(LargeMebibytes << 20, MediumMebibytes << 20);
        Kestrel = await KestrelOrigin.StartAsync();
        await StartProxyAsync();
    }

    /// <summary>
    /// What the kernel has counted up to now. The proxy repeats its self-test every ten minutes, which the kernel counts like any connection;
    /// where the machine is so slow that it gets that old, another takes its place.
    /// </summary>
    internal async Task<TlsStatistics> BeginCountingAsync()
    {
        if (_age.Elapsed > AgeMax)
        {
            await _process.DisposeAsync();
            await StartProxyAsync();
        }

        return TlsStatistics.Read();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await Kestrel.DisposeAsync();
        await Nginx.DisposeAsync();
    }

    private async Task StartProxyAsync()
    {
        _process = await ProxyProcess.StartAsync(new ProxySettings
        {
            Origins = OriginFixture.Routes(Nginx, Kestrel),
            FurtherListeners = Enum.GetValues<LayerChoice>().ToDictionary(layers => $"{layers}", layers => layers.Policy()),
        });
        _age.Restart();
    }

    // KernelWatch.DefaultInterval, less the longest that a single test may take.
    private static readonly TimeSpan AgeMax = TimeSpan.FromMinutes(6);

    /// <summary>The files nginx has.</summary>
    public const int LargeMebibytes = 64;

    public const int MediumMebibytes = 4;
}

/// <summary>Those who read the kernel's counters cannot share it with others meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class KernelProxiesDefinition : ICollectionFixture<KernelProxies>
{
    public const string Name = "Kernel proxies";
}
