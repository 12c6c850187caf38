using System.Diagnostics.CodeAnalysis;
using System.Net;
using Aead.Algorithms;
using Aead.Pages;
using Ktls.Kernel;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Ktls.Transport;

/// <summary>Kestrel's door: binds <see cref="TlsEndPoint"/>s and leaves every other endpoint to other transports.</summary>
/// <param name="pages">Where records are decrypted.</param>
/// <param name="memory">Kestrel's.</param>
/// <param name="kernel">Asked for each connection.</param>
/// <param name="log">Takes the transport's lines.</param>
/// <param name="watch">Tests the machine behind <paramref name="kernel"/>; null where there is none behind it.</param>
[SuppressMessage("Performance", "CA1812", Justification = "Dependency injection makes it.")]
internal sealed class TlsTransportFactory(
    PagePool pages, IMemoryPoolFactory<byte> memory, IKernelSupport kernel, ILoggerFactory log, KernelWatch? watch = null)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private readonly Lock _gate = new();
    private TransportResources? _resources;
    private bool _disposed;

    /// <summary>Loops and pools, made when they are first asked for.</summary>
    public TransportResources Resources
    {
        get
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (_resources == null)
                {
                    _resources = new TransportResources(pages, memory, kernel, log.CreateLogger("TlsProxy.Transport"));
                    watch?.Support.ForgedRecordAccepted += _resources.AbortKernelReceivers;
                }

                return _resources;
            }
        }
    }

    public bool CanBind(EndPoint endpoint) => endpoint is TlsEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        TlsEndPoint address = (TlsEndPoint)endpoint;
        if (!LibCryptoLibrary.IsTheRuntimes)
        {
            // Every handshake would end in the same words.
            throw new ListenException(
                $"Listener '{address.Options.Name}' cannot protect records: .NET has loaded another OpenSSL than {LibCryptoLibrary.Name}. Install OpenSSL 3.");
        }

        TransportResources resources = Resources;
        Admit(address.Options, resources);
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

    public void Dispose()
    {
        // Whoever registers it under two names disposes it twice.
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        watch?.Stop();
        _resources?.Dispose();
    }

    // Before the first connection: what is On must be there, and what a connection would find missing is found now. A machine whose
    // listeners want nothing of the kernel is asked nothing.
    private void Admit(TlsListenerOptions listener, TransportResources resources)
    {
        if (listener.Kernel is { Transmit: KernelUse.Off, Receive: KernelUse.Off })
        {
            return;
        }

        watch?.Start(resources.Metrics, resources.Log);
        if (MayReceive(listener) && resources.EnableHiddenReceive() is { } whyNot)
        {
            watch?.Support.GiveUpHiddenReads(whyNot);
        }

        watch?.Support.Demand(listener);
    }

    // Hidden pages are pinned memory, which only a kernel that gets something to receive is worth.
    private bool MayReceive(TlsListenerOptions listener) => listener.Handshake.SuitesInUse.Any(suite =>
        kernel.WhyNot(listener.Kernel, suite, KernelDirection.Receive) is null or { Code: LayerReasons.InconclusiveCode });

    // Connections the kernel completes before they are accepted; net.core.somaxconn may hold it lower.
    private const int Backlog = 4096;
}
