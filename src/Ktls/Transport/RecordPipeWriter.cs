using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Ktls.Transport;

/// <summary>
/// Kestrel's bytes on their way into records. A flush completes at once while the sink's bounded queue has room; only beyond it does it wait
/// for the socket. Records are finished on the caller's thread, so the memory handed out is never touched by another one.
/// </summary>
internal sealed class RecordPipeWriter(IRecordSink sink) : PipeWriter, IValueTaskSource<FlushResult>
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<FlushResult> _pending;
    private CancellationTokenRegistration _cancellation;
    private bool _waiting;
    private bool _cancelNext;
    private bool _completed;

    /// <summary>Completed with an exception: what was sent must not look complete.</summary>
    public bool Failed { get; private set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => sink.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        return sink.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => sink.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        short version;
        lock (_gate)
        {
            FlushStatus status = sink.Flush();
            if (status != FlushStatus.Full || _cancelNext)
            {
                bool canceled = _cancelNext;
                _cancelNext = false;
                return new ValueTask<FlushResult>(new FlushResult(canceled, status == FlushStatus.Closed));
            }

            _pending.Reset();
            _waiting = true;
            version = _pending.Version;
        }

        if (cancellationToken.CanBeCanceled)
        {
            RegisterCancellation(version, cancellationToken);
        }

        return new ValueTask<FlushResult>(this, version);
    }

    public override void CancelPendingFlush()
    {
        lock (_gate)
        {
            _cancelNext = !_waiting;
            if (!_waiting)
            {
                return;
            }

            _waiting = false;
        }

        FinishPending(new FlushResult(isCanceled: true, isCompleted: false), null, onPool: true);
    }

    /// <summary>What was written still goes out; after an exception the connection is reset.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (!_completed)
        {
            _completed = true;
            Failed = exception != null;
            if (!Failed)
            {
                _ = sink.Flush();
            }
        }
    }

    /// <summary>The socket has room again. On the loop.</summary>
    public void OnWritable()
    {
        FlushStatus status = sink.OnWritable();
        lock (_gate)
        {
            if (!_waiting || status == FlushStatus.Full)
            {
                return;
            }

            _waiting = false;
        }

        FinishPending(new FlushResult(isCanceled: false, status == FlushStatus.Closed), null, onPool: false);
    }

    /// <summary>The direction ended: nobody waits for room any more.</summary>
    public void OnEnded()
    {
        lock (_gate)
        {
            if (!_waiting)
            {
                return;
            }

            _waiting = false;
        }

        FinishPending(new FlushResult(isCanceled: false, isCompleted: true), null, onPool: true);
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _pending.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _pending.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _pending.OnCompleted(continuation, state, token, flags);

    private void RegisterCancellation(short version, CancellationToken cancellationToken)
    {
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((RecordPipeWriter)state!).CancelBy(token), this);
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

    private void FinishPending(FlushResult result, Exception? failure, bool onPool)
    {
        _cancellation.Unregister();
        _cancellation = default;
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
}
