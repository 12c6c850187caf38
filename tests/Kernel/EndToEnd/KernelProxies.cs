using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>One proxy with a listener for each choice of layers, before an nginx and a Kestrel: a start is dear where a page fault is.</summary>
public sealed class KernelProxies : IAsyncLifetime
{
    private ProxyProcess _process = null!;

    public NginxOrigin Nginx { get; private set; } = null!;

    public KestrelOrigin Kestrel { get; private set; } = null!;

    /// <summary>The proxy through the listener with these layers.</summary>
    public ProxyProcess this[LayerChoice layers] => _process.Through($"{layers}");

    public async ValueTask InitializeAsync()
    {
        Nginx = await NginxOrigin.StartAsync(LargeMebibytes << 20, MediumMebibytes << 20);
        Kestrel = await KestrelOrigin.StartAsync();
        _process = await ProxyProcess.StartAsync(new ProxySettings
        {
            Origins = OriginFixture.Routes(Nginx, Kestrel),
            FurtherListeners = Enum.GetValues<LayerChoice>().ToDictionary(layers => $"{layers}", layers => layers.Policy()),
        });
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
