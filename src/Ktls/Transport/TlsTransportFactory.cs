using System.Diagnostics.CodeAnalysis;
using System.Net;
using Aead.Pages;
using Ktls.Kernel;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Ktls.Transport;

/// <summary>Kestrel's door: binds <see cref="TlsEndPoint"/>s and leaves every other endpoint to other transports.</summary>
[SuppressMessage("Performance", "CA1812", Justification = "Dependency injection makes it.")]
internal sealed class TlsTransportFactory(PagePool pages, IMemoryPoolFactory<byte> memory, IKernelSupport kernel, ILoggerFactory log)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private readonly Lock _gate = new();
    private TransportResources? _resources;

    public bool CanBind(EndPoint endpoint) => endpoint is TlsEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        TlsEndPoint address = (TlsEndPoint)endpoint;
        TransportResources resources = Resources();
        if (address.Options.Kernel.Receive != KernelUse.Off)
        {
            _ = resources.EnableHiddenReceive();
        }

        SyscallResult listening = SocketCalls.Listen(address, Backlog);
        if (listening.AddressInUse)
        {
            throw new AddressInUseException(
                $"Listener '{address.Options.Name}' cannot listen on {address}: the address is in use. "
                + $"'ss -ltnp sport = :{address.Port}' shows by whom; stop it, or change Address.");
        }

        if (listening.Failed)
        {
            throw new ListenException($"Listener '{address.Options.Name}' cannot listen on {address}: {listening.ErrorName}. Change Address.");
        }

        return ValueTask.FromResult<IConnectionListener>(new TlsConnectionListener(resources, address, listening.Value));
    }

    public void Dispose() => _resources?.Dispose();

    private TransportResources Resources()
    {
        lock (_gate)
        {
            return _resources ??= new TransportResources(pages, memory, kernel, log.CreateLogger("TlsProxy.Transport"));
        }
    }

    // Connections the kernel completes before they are accepted; net.core.somaxconn may hold it lower.
    private const int Backlog = 4096;
}
