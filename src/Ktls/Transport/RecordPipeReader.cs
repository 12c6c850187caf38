using System.IO.Pipelines;
using Aead.Pages;

namespace Ktls.Transport;

/// <summary>
/// Application data for Kestrel, pulled: a read decrypts what the socket holds, on the caller's thread if it can, else on the loop when the
/// socket has something. No loop pumps, nothing is buffered ahead of the consumer, no second pipe is between.
/// </summary>
internal sealed class RecordPipeReader(RecordIntake intake, PagePool pages, IReaderOwner owner)
    : PipeReader
{
    // Its gate guards all fields and the intake.
    private readonly PipeWait<ReadResult> _wait = new();
    private readonly ReaderNotices _notices = new(intake, owner);
    private bool _cancelNext;
    private bool _completed;

    /// <summary>Since when the oldest verified bytes are held, in <see cref="Environment.TickCount64"/>; 0 when none are.</summary>
    public long HoldingSinceTick => intake.Chain.OldestTick;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        ReaderNotice notice;
        ValueTask<ReadResult> read;
        bool parked = false;
        lock (_wait.Gate)
        {
            if (TryTakeOrPull(out ReadResult result, out PullStatus pull))
            {
                read = new ValueTask<ReadResult>(result);
            }
            else if (intake.Failed)
            {
                read = ValueTask.FromException<ReadResult>(intake.End!.ToException());
            }
            else
            {
                parked = true;
                read = _wait.Begin(cancellationToken);
            }

            notice = TakeNotice(pull);
        }

        if (parked)
        {
            _wait.Watch(cancellationToken);
        }

        _notices.Tell(notice);
        return read;
    }

    public override bool TryRead(out ReadResult result)
    {
        bool taken;
        ReaderNotice notice;
        lock (_wait.Gate)
        {
            taken = TryTakeOrPull(out result, out _);
            notice = TakeNotice(PullStatus.Done);
        }

        _notices.Tell(notice);
        return taken || (intake.Failed ? throw intake.End!.ToException() : false);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (_wait.Gate)
        {
            if (_completed)
            {
                return;
            }

            PageChain chain = intake.Chain;
            chain.Advance(consumed, examined);
            if (chain.Length > 0 && !chain.HasUnexamined && IsWorthShrinking(chain))
            {
                chain.Shrink();
            }
        }
    }

    public override void CancelPendingRead()
    {
        ReadResult result;
        lock (_wait.Gate)
        {
            _cancelNext = true;
            if (!_wait.TryEnd())
            {
                return;
            }

            TryTake(out result);
        }

        _wait.Complete(result, onPool: true);
    }

    /// <summary>Gives everything held back. A read that is still pending, against the contract, fails and does not hang.</summary>
    public override void Complete(Exception? exception = null)
    {
        bool pending;
        lock (_wait.Gate)
        {
            _completed = true;
            intake.Chain.Clear();
            pending = _wait.TryEnd();
        }

        if (pending)
        {
            _wait.Fail(new InvalidOperationException("Reading was completed while a read was pending."), onPool: true);
        }
    }

    /// <summary>The socket has something to read: if somebody waits for it, the read joins the turn's. On the loop, before its events.</summary>
    public void JoinTurn(HiddenReceive hidden)
    {
        lock (_wait.Gate)
        {
            if (_wait.IsActive)
            {
                intake.JoinTurn(hidden);
            }
        }
    }

    /// <summary>The socket has something to read, or its peer's FIN. On the loop.</summary>
    public void OnReadable(bool peerClosed, bool hasError = false)
    {
        lock (_wait.Gate)
        {
            intake.MarkReadable(peerClosed, hasError);
        }

        OnPosted();
    }

    /// <summary>Reads for whoever waits; without a waiter, only to learn whether a FIN means that the peer is gone. On the loop.</summary>
    public void OnPosted()
    {
        ReadResult result = default;
        Exception? failure = null;
        bool finished = false;
        ReaderNotice notice;
        lock (_wait.Gate)
        {
            PullStatus pull = PullStatus.Done;
            if (_wait.IsActive || intake.HasReadAhead || (intake.PeerClosed && !intake.Chain.HasUnexamined && !_completed))
            {
                pull = PullHolding();
            }

            if (_wait.IsActive)
            {
                bool taken = TryTake(out result);
                failure = !taken && intake.Failed ? intake.End!.ToException() : null;
                finished = (taken || failure != null) && _wait.TryEnd();
            }

            notice = TakeNotice(pull);
        }

        try
        {
            _notices.Tell(notice);
        }
        finally
        {
            if (failure != null)
            {
                _wait.Fail(failure, onPool: false);
            }
            else if (finished)
            {
                _wait.Complete(result, onPool: false);
            }
        }
    }

    /// <summary>Ends reading from outside. The consumer still gets what had verified, then the reason.</summary>
    public void End(ReadEnd end)
    {
        lock (_wait.Gate)
        {
            intake.EndWith(end);
            _notices.EndIsKnown();
            if (!_wait.TryEnd())
            {
                return;
            }

            // A waiting consumer has no span: what it left for later can go at once.
            intake.Chain.Clear();
        }

        _wait.Fail(end.ToException(), onPool: true);
    }

    /// <summary>How reading ended, whether or not anybody was told; null: it did not yet.</summary>
    public ReadEnd? Ended
    {
        get
        {
            lock (_wait.Gate)
            {
                return intake.End;
            }
        }
    }

    /// <summary>No receive happens after this: the descriptor gets another owner.</summary>
    /// <returns>How to throw away what is still unread.</returns>
    public IUnreadBytes Close()
    {
        lock (_wait.Gate)
        {
            intake.Dispose();
            return intake.Unread;
        }
    }

    private bool IsWorthShrinking(PageChain chain) =>
        chain.IsCrumbled || (chain.HoldsSlot && (chain.Length <= ShrinkBytesMax || pages.IsUnderPressure));

    private bool TryTakeOrPull(out ReadResult result, out PullStatus pull)
    {
        if (_completed || _wait.IsActive)
        {
            throw new InvalidOperationException(_completed ? "Reading is completed." : "A read is already pending.");
        }

        pull = PullStatus.Done;
        if (TryTake(out result))
        {
            return true;
        }

        pull = PullHolding();
        return TryTake(out result);
    }

    private PullStatus PullHolding()
    {
        PullStatus status = intake.Pull();
        if (_completed)
        {
            intake.Chain.Clear();
        }

        return status;
    }

    private bool TryTake(out ReadResult result)
    {
        // Only once the consumer has looked at everything: Kestrel takes a read that is completed for one that brought nothing, refuses the body
        // whose last bytes it brought, and reads them once more as the next request.
        bool more = intake.Chain.HasUnexamined;
        bool completed = intake.End is { Kind: ReadEndKind.Clean } && !more;
        bool any = _cancelNext || completed || more;
        result = any ? new ReadResult(intake.Chain.Sequence, _cancelNext, completed) : default;
        _cancelNext = false;
        return any;
    }

    private ReaderNotice TakeNotice(PullStatus pull) => _notices.Take(post: pull == PullStatus.Postponed && _wait.IsActive);

    // Less than this is not worth a slot while its consumer waits for more.
    private const int ShrinkBytesMax = 64 << 10;
}
