using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using Aead.Pages;

namespace Ktls.Transport;

/// <summary>What a reader tells its connection, outside the reader's lock.</summary>
internal interface IReaderOwner
{
    /// <summary>Nothing more will be read. Told once, unless the owner ended it itself.</summary>
    void OnReadEnd(ReadEnd end);

    /// <summary>The peer's FIN arrived behind a clean end: it is gone. Told once.</summary>
    void OnPeerGone();

    /// <summary>A read is wanted that this thread cannot do: call <see cref="RecordPipeReader.OnPosted"/> on the loop.</summary>
    void PostRead();
}

/// <summary>
/// Application data for Kestrel, pulled: a read decrypts what the socket holds, on the caller's thread if it can, else on the loop when the
/// socket has something. No loop pumps, nothing is buffered ahead of the consumer, no second pipe is between.
/// </summary>
internal sealed class RecordPipeReader(RecordIntake intake, PagePool pages, IReaderOwner owner)
    : PipeReader, IValueTaskSource<ReadResult>
{
    // Guards all fields and the intake. Whoever flips _waiting back completes the read, outside the lock.
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<ReadResult> _pending;
    private CancellationTokenRegistration _cancellation;
    private bool _waiting;
    private bool _cancelNext;
    private bool _completed;
    private bool _endTold;
    private bool _goneTold;

    /// <summary>Since when verified bytes are held, in <see cref="Environment.TickCount64"/>; 0 when none are.</summary>
    public long HoldingSinceTick { get; private set; }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        ReadResult result;
        Notice notice;
        ValueTask<ReadResult> read;
        short? parked = null;
        lock (_gate)
        {
            if (TryTakeOrPull(out result, out PullStatus pull))
            {
                read = new ValueTask<ReadResult>(result);
            }
            else if (intake.Failed)
            {
                read = ValueTask.FromException<ReadResult>(intake.End!.ToException());
            }
            else
            {
                _pending.Reset();
                _waiting = true;
                parked = _pending.Version;
                read = new ValueTask<ReadResult>(this, _pending.Version);
            }

            notice = TakeNotice(pull);
        }

        if (parked is { } version && cancellationToken.CanBeCanceled)
        {
            RegisterCancellation(version, cancellationToken);
        }

        Tell(notice);
        return read;
    }

    public override bool TryRead(out ReadResult result)
    {
        bool taken;
        Notice notice;
        lock (_gate)
        {
            taken = TryTakeOrPull(out result, out _);
            notice = TakeNotice(PullStatus.Done);
        }

        Tell(notice);
        return taken || (intake.Failed ? throw intake.End!.ToException() : false);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (_gate)
        {
            if (_completed)
            {
                return;
            }

            PageChain chain = intake.Chain;
            chain.Advance(consumed, examined);
            if (chain.Length == 0)
            {
                HoldingSinceTick = 0;
            }
            else if (!chain.HasUnexamined && (pages.IsUnderPressure || (chain.HoldsSlot && chain.Length <= ShrinkBytesMax)))
            {
                chain.Shrink();
            }
        }
    }

    public override void CancelPendingRead()
    {
        ReadResult result;
        lock (_gate)
        {
            _cancelNext = true;
            if (!_waiting)
            {
                return;
            }

            _waiting = false;
            TryTake(out result);
        }

        FinishPending(result, null, onPool: true);
    }

    public override void Complete(Exception? exception = null)
    {
        lock (_gate)
        {
            _completed = true;
            intake.Chain.Clear();
            HoldingSinceTick = 0;
        }
    }

    /// <summary>The socket has something to read, or its peer's FIN. On the loop.</summary>
    public void OnReadable(bool peerClosed)
    {
        lock (_gate)
        {
            intake.MarkReadable(peerClosed);
        }

        OnPosted();
    }

    /// <summary>Reads for whoever waits; without a waiter, only to learn whether a FIN means that the peer is gone. On the loop.</summary>
    public void OnPosted()
    {
        ReadResult result = default;
        Exception? failure = null;
        bool finished = false;
        Notice notice;
        lock (_gate)
        {
            PullStatus pull = PullStatus.Done;
            if (_waiting || (intake.PeerClosed && !intake.Chain.HasUnexamined && !_completed))
            {
                pull = PullHolding();
            }

            if (_waiting)
            {
                bool taken = TryTake(out result);
                failure = !taken && intake.Failed ? intake.End!.ToException() : null;
                finished = taken || failure != null;
                _waiting = !finished;
            }

            notice = TakeNotice(pull);
        }

        Tell(notice);
        if (finished)
        {
            FinishPending(result, failure, onPool: false);
        }
    }

    /// <summary>Ends reading from outside. The consumer still gets what had verified, then the reason.</summary>
    public void End(ReadEnd end)
    {
        lock (_gate)
        {
            intake.EndWith(end);
            _endTold = true;
            if (!_waiting)
            {
                return;
            }

            // A waiting consumer has no span: what it left for later can go at once.
            _waiting = false;
            intake.Chain.Clear();
            HoldingSinceTick = 0;
        }

        FinishPending(default, end.ToException(), onPool: true);
    }

    /// <summary>No receive happens after this: the descriptor gets another owner.</summary>
    public void Close()
    {
        lock (_gate)
        {
            intake.Dispose();
        }
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _pending.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _pending.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _pending.OnCompleted(continuation, state, token, flags);

    private bool TryTakeOrPull(out ReadResult result, out PullStatus pull)
    {
        if (_completed || _waiting)
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
        else if (HoldingSinceTick == 0 && intake.Chain.Length > 0)
        {
            HoldingSinceTick = Environment.TickCount64;
        }

        return status;
    }

    private bool TryTake(out ReadResult result)
    {
        bool clean = intake.End is { Kind: ReadEndKind.Clean };
        bool any = _cancelNext || clean || intake.Chain.HasUnexamined;
        result = any ? new ReadResult(intake.Chain.Sequence, _cancelNext, clean) : default;
        _cancelNext = false;
        return any;
    }

    private void RegisterCancellation(short version, CancellationToken cancellationToken)
    {
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((RecordPipeReader)state!).CancelBy(token), this);
        lock (_gate)
        {
            if (_waiting && _pending.Version == version)
            {
                _cancellation = registration;
                return;
            }
        }

        registration.Unregister();
    }

    private void CancelBy(CancellationToken token)
    {
        lock (_gate)
        {
            if (!_waiting)
            {
                return;
            }

            _waiting = false;
        }

        FinishPending(default, new OperationCanceledException(token), onPool: true);
    }

    private void FinishPending(ReadResult result, Exception? failure, bool onPool)
    {
        _cancellation.Unregister();
        _cancellation = default;

        // Off the loop the caller may hold locks of its own (Kestrel cancels from its timer): never run the consumer on its stack.
        _pending.RunContinuationsAsynchronously = onPool;
        if (failure != null)
        {
            _pending.SetException(failure);
        }
        else
        {
            _pending.SetResult(result);
        }
    }

    private Notice TakeNotice(PullStatus pull)
    {
        ReadEnd? end = _endTold ? null : intake.End;
        _endTold |= end != null;
        bool gone = !_goneTold && intake.PeerClosed && intake.End is { Kind: ReadEndKind.Clean };
        _goneTold |= gone;
        return new Notice(end, gone, pull == PullStatus.Postponed && _waiting);
    }

    private void Tell(in Notice notice)
    {
        if (notice.Post)
        {
            owner.PostRead();
        }

        if (notice.End != null)
        {
            owner.OnReadEnd(notice.End);
        }

        if (notice.Gone)
        {
            owner.OnPeerGone();
        }
    }

    private readonly record struct Notice(ReadEnd? End, bool Gone, bool Post);

    // Less than this is not worth a slot while its consumer waits for more.
    private const int ShrinkBytesMax = 64 << 10;
}
