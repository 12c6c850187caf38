using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>
/// The last owner of a socket whose final bytes must arrive: sends what is queued, then the FIN, then discards what the peer still sends
/// until its FIN. Closing with unread bytes would make the kernel reset the connection and take our alert or answer with it (RFC 9112 §9.6).
/// Bounded in time and in bytes.
/// </summary>
internal sealed class LingeringClose(
    LoopSocket before, TlsConnectionListener listener, IPendingSend queue, IUnreadBytes unread, TimeSpan patience)
    : LoopSocket(before.Loop, before.Descriptor, before.Token)
{
    private readonly Lock _gate = new();
    private bool _finished;
    private bool _finSent;
    private long _discardedBytes;
    private int _leftAtDeadline;
    private readonly long _lastTick = Environment.TickCount64 + (long)PatienceMax.TotalMilliseconds;

    /// <summary>Takes the descriptor over and starts.</summary>
    public void Start(LoopSocket current)
    {
        _leftAtDeadline = LeftBytes;
        Loop.Replace(current, this);
        Loop.SetDeadline(this, patience);
        if (unread.OnLoopOnly && EventLoop.Current != Loop)
        {
            Loop.Post(this);
        }
        else
        {
            Work();
        }
    }

    public override void OnReady(in ReadyEvent ready)
    {
        if (ready.PeerClosed || ready.Broken)
        {
            unread.OnPeerClosed();
        }

        Work();
    }

    public override void OnPosted() => Work();

    public override void OnDeadline()
    {
        int left;
        lock (_gate)
        {
            left = _finished ? 0 : LeftBytes;
            if (left > 0 && left <= _leftAtDeadline - ProgressBytesMin && Environment.TickCount64 < _lastTick)
            {
                // Slow, but taking what it is sent.
                _leftAtDeadline = left;
                Loop.SetDeadline(this, patience);
                return;
            }
        }

        // A peer that has everything and only keeps its own direction open is no reason for a reset, which could reach it before it has read.
        Finish(reset: left > 0);
    }

    public override void OnFault(Exception fault) => Finish(reset: true);

    // What the kernel has taken is not with the peer yet: a socket buffer holds megabytes, and a reset would throw them away.
    private int LeftBytes => queue.QueuedBytes + SocketCalls.UnacknowledgedBytes(Descriptor);

    private void Work()
    {
        bool? finishWithReset;
        lock (_gate)
        {
            finishWithReset = _finished ? null : SendAndDiscard();
        }

        if (finishWithReset is { } reset)
        {
            Finish(reset);
        }
    }

    // Null: not done yet. Otherwise: done, and whether to reset.
    private bool? SendAndDiscard()
    {
        if (!_finSent)
        {
            SendStatus status = queue.Send();
            if (status == SendStatus.Broken)
            {
                return true;
            }

            if (status == SendStatus.Sent)
            {
                _finSent = true;
                SocketCalls.ShutdownWrite(Descriptor);
            }
        }

        for (int turn = 0; turn < DiscardsPerTurn; turn++)
        {
            SyscallResult discarded = unread.Discard(DiscardBytes);
            if (discarded.Failed)
            {
                return discarded.WouldBlock ? null : true;
            }

            _discardedBytes += discarded.Value;
            if (discarded.Value == 0)
            {
                return _finSent ? false : null;
            }

            if (_discardedBytes > DiscardedBytesMax)
            {
                return true;
            }
        }

        Loop.Post(this);
        return null;
    }

    private void Finish(bool reset)
    {
        lock (_gate)
        {
            if (_finished)
            {
                return;
            }

            _finished = true;
            queue.Clear();
        }

        listener.Close(this, reset);
    }

    /// <summary>How long the peer of an established connection may take to acknowledge what Kestrel's minimum rate would have brought it.</summary>
    public static readonly TimeSpan Established = TimeSpan.FromSeconds(10);

    /// <summary>How long a client may take for the alert that ends its handshake: it has nothing else to receive.</summary>
    public static readonly TimeSpan Refused = TimeSpan.FromSeconds(2);

    // 240 bytes a second, Kestrel's own bound, over the time of an established connection.
    private const int ProgressBytesMin = 2400;

    // Whoever needs longer for the last bytes than this is served by nobody.
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMinutes(5);

    // What a client on a fast network can have on its way before it reads the alert; discarding copies nothing.
    private const long DiscardedBytesMax = 64 << 20;

    private const int DiscardBytes = 1 << 20;
    private const int DiscardsPerTurn = 4;
}
