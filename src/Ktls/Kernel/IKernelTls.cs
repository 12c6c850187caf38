using Aead.Keys;
using Aead.Records;

namespace Ktls.Kernel;

/// <summary>One half of a connection, as the kernel sees it.</summary>
internal enum KernelDirection
{
    /// <summary>TLS_TX: what we send.</summary>
    Transmit,

    /// <summary>TLS_RX: what we receive.</summary>
    Receive,
}

/// <summary>
/// What a record layer asks of a kTLS socket. Each call is one step; whoever calls decides what a refusal means. Not thread-safe within a
/// direction. Source: Documentation/networking/tls.rst, net/tls/tls_main.c.
/// </summary>
internal interface IKernelTls
{
    /// <summary>
    /// Makes the socket a kTLS socket (TCP_ULP). It passes bytes unchanged until keys are installed, direction by direction.
    /// </summary>
    SyscallResult Attach();

    /// <summary>
    /// Installs the key, IV and sequence number of a direction: the first ones, or (TLS 1.3, Linux 6.14) those behind a KeyUpdate.
    /// </summary>
    /// <param name="direction">Which half.</param>
    /// <param name="keys">Read, not kept: the caller still owns them.</param>
    SyscallResult Install(KernelDirection direction, DirectionKeys keys);

    /// <summary>The number of the direction's next record, which is how many its key has protected.</summary>
    SyscallResult ReadSequenceNumber(KernelDirection direction, out ulong number);

    /// <summary>
    /// TLS 1.3 only: reads what the kernel has verified in its own memory and copies out. A TLS 1.2 record would be decrypted into
    /// <paramref name="room"/> before its tag is checked.
    /// </summary>
    /// <param name="room">At least one full record, 16 384 bytes, so that a control record is never split.</param>
    /// <param name="type">
    /// The content type of all that was read; null when the kernel named none. No bytes and no type is the peer's FIN; no bytes with a type
    /// is an empty record.
    /// </param>
    /// <exception cref="InvalidOperationException">The keys installed for receiving are not TLS 1.3's.</exception>
    SyscallResult ReceiveVerified(Span<byte> room, out ContentType? type);

    /// <summary>
    /// After <see cref="SyscallResult.ControlRecordWaits"/>: takes that record, which the kernel has verified in its own memory, whatever
    /// the version.
    /// </summary>
    /// <param name="fragment">Room for its content; what does not fit stays for the next call.</param>
    /// <param name="type">Its content type, or null when it was none.</param>
    /// <param name="whole">False: some of the record is left.</param>
    /// <exception cref="InvalidOperationException">TLS 1.2: application data waits; nothing of it was read.</exception>
    SyscallResult ReceiveControl(Span<byte> fragment, out ContentType? type, out bool whole);

    /// <summary>Sends application data; the kernel makes the records. May send less than all.</summary>
    /// <param name="pieces">At most <see cref="SocketCalls.PiecesMax"/>, each in an array allocated pinned.</param>
    SyscallResult Send(ReadOnlySpan<ArraySegment<byte>> pieces);

    /// <summary>Sends one control record, whole or not at all.</summary>
    SyscallResult SendControl(ContentType type, ReadOnlySpan<byte> fragment);

    /// <summary>
    /// Takes the socket's pending error (SO_ERROR). A record that did not verify leaves one, and until it is taken nothing can be sent, not
    /// even the alert.
    /// </summary>
    SyscallResult TakeError();
}
