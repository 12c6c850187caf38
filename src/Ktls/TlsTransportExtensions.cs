using Aead.Pages;
using Ktls.Backends;
using Ktls.Kernel;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Ktls;

/// <summary>The public door of the transport.</summary>
public static class TlsTransportExtensions
{
    /// <summary>
    /// Lets Kestrel listen on <see cref="TlsEndPoint"/>s. Also registers the <see cref="PagePool"/>, made when it is first asked for, and
    /// <see cref="KernelTls"/>, and the <see cref="BackendConnector"/> for connections on the same loops; other endpoints stay with Kestrel's own transport.
    /// </summary>
    /// <exception cref="PagePoolException">Thrown when the pool is first asked for: the policy cannot be met.</exception>
    public static IServiceCollection AddTlsTransport(this IServiceCollection services, PagePolicy pages)
    {
        services.AddSingleton(_ => PagePool.Create(pages, TransportResources.Stages));
        services.AddSingleton(_ => new KernelSupport(new MachineProbe()));
        services.AddSingleton<IKernelSupport>(provider => provider.GetRequiredService<KernelSupport>());
        services.AddSingleton(provider => new KernelTls(provider.GetRequiredService<KernelSupport>()));
        services.AddSingleton<KernelWatch>();
        services.AddSingleton<TlsTransportFactory>();
        services.AddSingleton<IConnectionListenerFactory>(provider => provider.GetRequiredService<TlsTransportFactory>());
        services.AddSingleton(provider => new BackendConnector(provider.GetRequiredService<TlsTransportFactory>()));
        return services;
    }
}
