using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>
/// What the peer still sends while a connection closes. Closing a socket with unread bytes resets it, which can take our last bytes from
/// the peer, so they are thrown away until its FIN. Each way to receive has its own way to throw away.
/// </summary>
internal interface IUnreadBytes
{
    /// <summary>True: <see cref="Discard"/> may be called on the loop's thread only.</summary>
    bool OnLoopOnly { get; }

    /// <summary>The loop reported the peer's FIN or the end of the connection, perhaps with bytes before it.</summary>
    void OnPeerClosed();

    /// <summary>Throws away what is there. Never waits.</summary>
    /// <returns>How many bytes; 0 when there is nothing more to wait for, as at the peer's FIN.</returns>
    SyscallResult Discard(int bytesMax);
}

/// <summary>A socket whose bytes the kernel passes on as they came.</summary>
internal sealed class PlainUnreadBytes(int descriptor) : IUnreadBytes
{
    public bool OnLoopOnly => false;

    public void OnPeerClosed()
    {
    }

    public SyscallResult Discard(int bytesMax) => SocketCalls.Discard(descriptor, bytesMax);
}

/// <summary>
/// A socket that must not or cannot be read any more: kTLS would decrypt into readable memory, or has met a bad record and answers nothing
/// else for good. Bytes stay where they are, and the close, which then resets, comes when it can harm nothing: the peer has sent its FIN
/// and acknowledged everything. The kernel reports both: the FIN, and then the connection's end.
/// </summary>
internal sealed class WaitForFin(int descriptor, bool peerClosed) : IUnreadBytes
{
    private volatile bool _peerClosed = peerClosed;

    public bool OnLoopOnly => false;

    public void OnPeerClosed() => _peerClosed = true;

    public SyscallResult Discard(int bytesMax) =>
        _peerClosed && SocketCalls.UnacknowledgedBytes(descriptor) == 0 ? SyscallResult.FromCompletion(0) : SyscallResult.NotYet;
}
