using Aead;
using Aead.Records;
using Ktls.Handshake;
using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>Which layer protects each direction of a connection, and if it is not the kernel, why.</summary>
/// <param name="WhyNotTransmit">Null: the kernel makes the records we send.</param>
/// <param name="WhyNotReceive">Null: the kernel verifies the records we receive.</param>
internal sealed record RecordLayers(LayerReason? WhyNotTransmit, LayerReason? WhyNotReceive);

/// <summary>The two halves of a new connection's record layers.</summary>
internal readonly record struct RecordLayerPair(IRecordSource Source, IRecordSink Sink, RecordLayers Layers);

/// <summary>
/// Takes a finished handshake's keys to the record layers, direction by direction. Whatever can be refused is asked for before anything is
/// taken away from the other layer, so a refusal costs a direction its offload and nothing else.
/// </summary>
internal static class RecordLayerInstaller
{
    /// <summary>Installs what the policy, the machine and the suite allow; the rest is protected in user space.</summary>
    /// <param name="transport">Pools and the kernel's support.</param>
    /// <param name="socket">The established connection, its handshake's last byte read and written.</param>
    /// <param name="result">Its keys move to the layers.</param>
    /// <param name="policy">The listener's wish.</param>
    public static RecordLayerPair Install(TransportResources transport, LoopSocket socket, HandshakeResult result, KernelPolicy policy)
    {
        LayerReason? whyNotTransmit = transport.Kernel.WhyNot(policy, result.Suite, KernelDirection.Transmit);
        LayerReason? whyNotReceive = transport.Kernel.WhyNot(policy, result.Suite, KernelDirection.Receive);
        if (whyNotReceive == null && result.Suite.Version == TlsVersion.Tls12 && socket.Loop.Hidden == null)
        {
            whyNotReceive = LayerReasons.Tls12NeedsHiddenReceive(transport.WhyNoHiddenReceive ?? LayerReasons.NotEquipped);
        }

        IKernelTls? kernel = null;
        if (whyNotTransmit == null || whyNotReceive == null)
        {
            kernel = transport.Kernel.Open(socket.Descriptor);
            if (kernel.Attach() is { Failed: true } refused)
            {
                LayerReason reason = refused.NotConnected ? LayerReasons.NotEstablished : LayerReasons.AttachRefused(refused);
                whyNotTransmit ??= reason;
                whyNotReceive ??= reason;
            }
        }

        whyNotTransmit ??= TryInstall(kernel!, KernelDirection.Transmit, result);
        whyNotReceive ??= TryInstall(kernel!, KernelDirection.Receive, result);

        // From here on nothing can be refused.
        OutgoingBlockPool blocks = transport.PoolsOf(socket.Loop).Blocks;
        IRecordSink sink = whyNotTransmit == null
            ? new KernelRecordSink(kernel!, result.ServerKeys, transport.Kernel.SupportsRekey, blocks)
            : new GuardedRecordSink(socket.Descriptor, new RecordEncryptor(result.ServerKeys), blocks);
        IRecordSource source = whyNotReceive == null
            ? new KernelRecordSource(
                kernel!, socket.Descriptor, result.ClientKeys, transport.Kernel.SupportsRekey, socket.Loop.Hidden, transport.Pages)
            : new GuardedRecordSource(socket.Descriptor, new RecordDecryptor(result.ClientKeys));
        return new RecordLayerPair(source, sink, new RecordLayers(whyNotTransmit, whyNotReceive));
    }

    private static LayerReason? TryInstall(IKernelTls kernel, KernelDirection direction, HandshakeResult result)
    {
        bool transmits = direction == KernelDirection.Transmit;
        SyscallResult installed = kernel.Install(direction, transmits ? result.ServerKeys : result.ClientKeys);
        return installed.Failed ? LayerReasons.InstallRefused(installed) : null;
    }
}
