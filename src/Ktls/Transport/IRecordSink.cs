using Aead.Records;

namespace Ktls.Transport;

/// <summary>How far a flush came.</summary>
internal enum FlushStatus
{
    /// <summary>Sent, or queued within the bound: go on writing.</summary>
    Completed,

    /// <summary>More is queued than the bound allows: wait for <see cref="IRecordSink.OnWritable"/>.</summary>
    Full,

    /// <summary>The direction is closed or broken; what is written goes nowhere.</summary>
    Closed,
}

/// <summary>
/// The sending half of a record layer, the other answer: "send this application data". One writer at a time calls GetMemory, Advance and
/// Flush; control records, closing and writability may come from any thread. Owns the transmit direction: control records go before data that
/// is not yet a record, keys change only behind the KeyUpdate that announces them.
/// </summary>
internal interface IRecordSink : IDisposable
{
    /// <summary>Bytes written and not flushed.</summary>
    long UnflushedBytes { get; }

    /// <summary>Room for the next bytes of application data, at least <paramref name="sizeHint"/> and never empty.</summary>
    Memory<byte> GetMemory(int sizeHint);

    /// <summary>So many bytes of it were written.</summary>
    void Advance(int bytes);

    /// <summary>Makes records of what was written and sends them.</summary>
    FlushStatus Flush();

    /// <summary>Sends a control record, ahead of data not yet flushed.</summary>
    void WriteControl(ContentType type, ReadOnlySpan<byte> fragment);

    /// <summary>
    /// False: the kernel holds the keys and cannot change them (before Linux 6.14), so a peer that asks us to can only be closed on, in good
    /// order.
    /// </summary>
    bool CanUpdateKeys { get; }

    /// <summary>TLS 1.3: announces and takes our next keys.</summary>
    /// <param name="requestPeer">Ask the peer to do the same.</param>
    /// <exception cref="InvalidOperationException"><see cref="CanUpdateKeys"/> says no.</exception>
    void UpdateKeys(bool requestPeer);

    /// <summary>The socket has room again: sends on.</summary>
    FlushStatus OnWritable();

    /// <summary>
    /// Ends the direction. Data flushed before still goes out, then the alert; nothing can be written afterwards. What the kernel has not
    /// taken is the caller's to finish.
    /// </summary>
    /// <param name="alert">close_notify or a fatal alert; null: drop everything, the connection is gone.</param>
    /// <returns>The rest, or null when the direction had ended before.</returns>
    IPendingSend? End(AlertDescription? alert);
}
