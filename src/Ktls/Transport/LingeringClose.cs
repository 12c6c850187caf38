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
    private bool _allTaken;
    private long _emptySinceTick = long.MaxValue;
    private long _patienceTick;
    private long _discardedBytes;
    private long _acknowledgedAtDeadline;
    private readonly long _lastTick = Environment.TickCount64 + (long)PatienceMax.TotalMilliseconds;

    /// <summary>Takes the descriptor over and starts.</summary>
    public void Start(LoopSocket current)
    {
        RenewPatience();
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
        if (Environment.TickCount64 < _patienceTick)
        {
            Work();
            return;
        }

        bool everythingArrived;
        bool goesOn;
        lock (_gate)
        {
            everythingArrived = _finished || LeftBytes == 0;
            goesOn = !_finished && Environment.TickCount64 < _lastTick && (everythingArrived ? !_finSent : IsProgressing());
        }

        if (goesOn)
        {
            RenewPatience();
            Loop.SetDeadline(this, patience);
            Work();
            return;
        }

        // A peer that has everything and only keeps its own direction open is no reason for a reset, which could reach it before it has read.
        Finish(reset: !everythingArrived);
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

            if (status == SendStatus.Sent && IsWithTcp())
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

    // kTLS passes on what it kept with every send, so a socket that has room right behind one tells that nothing is kept. Without room,
    // kTLS passes it on by itself as soon as the peer makes some, a moment later: then only a socket that stays empty tells.
    private bool IsWithTcp()
    {
        bool isFirstLook = !_allTaken;
        _allTaken = true;
        if (!queue.MayBeHeldBack || (isFirstLook && SocketCalls.HasSendRoom(Descriptor)))
        {
            return true;
        }

        long now = Environment.TickCount64;
        bool isEmpty = SocketCalls.UnacknowledgedBytes(Descriptor) == 0;
        if (isEmpty && now - _emptySinceTick >= EmptyMilliseconds)
        {
            // The patience that is left is the peer's for its FIN.
            Loop.SetDeadline(this, TimeSpan.FromMilliseconds(_patienceTick - now));
            return true;
        }

        _emptySinceTick = isEmpty ? Math.Min(_emptySinceTick, now) : long.MaxValue;
        Loop.SetDeadline(this, TimeSpan.FromMilliseconds(Math.Min(EmptyMilliseconds, _patienceTick - now)));
        return false;
    }

    // Slow, but taking what it is sent.
    private bool IsProgressing() => SocketCalls.AcknowledgedBytes(Descriptor) - _acknowledgedAtDeadline >= ProgressBytesMin;

    private void RenewPatience()
    {
        _acknowledgedAtDeadline = SocketCalls.AcknowledgedBytes(Descriptor);
        _patienceTick = Environment.TickCount64 + (long)patience.TotalMilliseconds;
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

    /// <summary>What counts as progress in that time: 240 bytes a second, Kestrel's own bound.</summary>
    public const int ProgressBytesMin = 2400;

    // Whoever needs longer for the last bytes than this is served by nobody.
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMinutes(5);

    // What a client on a fast network can have on its way before it reads the alert; discarding copies nothing.
    private const long DiscardedBytesMax = 64 << 20;

    // A kernel thread that was woken has run by then, on any machine that still serves anybody.
    private const int EmptyMilliseconds = 250;

    private const int DiscardBytes = 1 << 20;
    private const int DiscardsPerTurn = 4;
}
