using Aead.Records;
using Microsoft.AspNetCore.Connections;

namespace Ktls.Transport;

/// <summary>Why nothing more will be read.</summary>
internal enum ReadEndKind
{
    /// <summary>The peer's close_notify: the only clean end.</summary>
    Clean,

    /// <summary>FIN without close_notify: whatever was being sent is incomplete.</summary>
    Truncated,

    /// <summary>The peer broke the protocol and is told so.</summary>
    Refused,

    /// <summary>The peer sent a fatal alert.</summary>
    PeerAborted,

    /// <summary>The socket failed.</summary>
    Broken,

    /// <summary>This side gave up.</summary>
    Aborted,
}

/// <summary>The end of a connection's receiving direction, with what its consumer is to be told.</summary>
/// <param name="Kind">How it ended.</param>
/// <param name="Alert">With Refused: the alert to send. With PeerAborted: the one received.</param>
/// <param name="Reason">A sentence for the log and the exception.</param>
internal sealed record ReadEnd(ReadEndKind Kind, AlertDescription Alert, string Reason)
{
    public static readonly ReadEnd Clean = new(ReadEndKind.Clean, AlertDescription.CloseNotify, "The client closed the connection.");

    public static readonly ReadEnd Truncated = new(
        ReadEndKind.Truncated, AlertDescription.CloseNotify, "The client closed the connection without close_notify; what it was sending is incomplete.");

    /// <summary>What a read throws. Kestrel takes a reset as the client's doing and an abort as ours.</summary>
    public Exception ToException() => Kind == ReadEndKind.Aborted
        ? new ConnectionAbortedException(Reason)
        : new ConnectionResetException(Reason);
}
