using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>One proxy for each choice of layers, all before the same nginx and the same Kestrel.</summary>
public sealed class KernelProxies : IAsyncLifetime
{
    private readonly Dictionary<LayerChoice, ProxyProcess> _proxies = [];

    public NginxOrigin Nginx { get; private set; } = null!;

    public KestrelOrigin Kestrel { get; private set; } = null!;

    public ProxyProcess this[LayerChoice layers] => _proxies[layers];

    public async ValueTask InitializeAsync()
    {
        Nginx = await NginxOrigin.StartAsync(FileLength);
        Kestrel = await KestrelOrigin.StartAsync();
        foreach (LayerChoice layers in Enum.GetValues<LayerChoice>())
        {
            _proxies[layers] = await ProxyProcess.StartAsync(
                new ProxySettings { Origins = OriginFixture.Routes(Nginx, Kestrel), Kernel = layers.Policy() });
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ProxyProcess proxy in _proxies.Values)
        {
            await proxy.DisposeAsync();
        }

        await Kestrel.DisposeAsync();
        await Nginx.DisposeAsync();
    }

    /// <summary>The one file nginx has.</summary>
    public const long FileLength = 64 << 20;
}

/// <summary>Those who read the kernel's counters cannot share it with others meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class KernelProxiesDefinition : ICollectionFixture<KernelProxies>
{
    public const string Name = "Kernel proxies";
}
