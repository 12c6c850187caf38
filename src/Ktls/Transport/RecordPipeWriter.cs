using System.IO.Pipelines;

namespace Ktls.Transport;

/// <summary>
/// Kestrel's bytes on their way into records. A flush completes at once while the sink's bounded queue has room; only beyond it does it wait
/// for the socket. Records are finished on the caller's thread, so the memory handed out is never touched by another one.
/// </summary>
/// <param name="sink">Where records go.</param>
/// <param name="owner">Makes the sends of a connection with many streams, several flushes at once; null: every flush sends.</param>
internal sealed class RecordPipeWriter(IRecordSink sink, IWriterOwner? owner = null) : PipeWriter
{
    private readonly PipeWait<FlushResult> _wait = new();
    private bool _cancelNext;
    private bool _completed;
    private int _posted;
    private readonly ISealingSink? _sealing = owner == null ? null : sink as ISealingSink;

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

        ValueTask<FlushResult> flush;
        lock (_wait.Gate)
        {
            if (_wait.IsActive)
            {
                throw new InvalidOperationException("A flush is already pending.");
            }

            FlushStatus status = SealOrSend();
            if (status != FlushStatus.Full || _cancelNext)
            {
                bool canceled = _cancelNext;
                _cancelNext = false;
                return new ValueTask<FlushResult>(new FlushResult(canceled, status == FlushStatus.Closed));
            }

            flush = _wait.Begin(cancellationToken);
        }

        _wait.Watch(cancellationToken);
        return flush;
    }

    public override void CancelPendingFlush()
    {
        lock (_wait.Gate)
        {
            if (!_wait.TryEnd())
            {
                _cancelNext = true;
                return;
            }
        }

        _wait.Complete(new FlushResult(isCanceled: true, isCompleted: false), onPool: true);
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
    public void OnWritable() => EndWait(sink.OnWritable());

    /// <summary>Sends what several flushes have sealed. On the loop.</summary>
    public void OnPosted()
    {
        if (Interlocked.Exchange(ref _posted, 0) != 0)
        {
            EndWait(_sealing!.SendSealed());
        }
    }

    private FlushStatus SealOrSend()
    {
        if (_sealing == null || !owner!.IsLoopBusy)
        {
            return sink.Flush();
        }

        FlushStatus status = _sealing.Seal();
        if (Interlocked.Exchange(ref _posted, 1) == 0)
        {
            owner.PostSend();
        }

        return status;
    }

    private void EndWait(FlushStatus status)
    {
        lock (_wait.Gate)
        {
            if (status == FlushStatus.Full || !_wait.TryEnd())
            {
                return;
            }
        }

        _wait.Complete(new FlushResult(isCanceled: false, status == FlushStatus.Closed), onPool: false);
    }

    /// <summary>The direction ended: nobody waits for room any more.</summary>
    public void OnEnded()
    {
        lock (_wait.Gate)
        {
            if (!_wait.TryEnd())
            {
                return;
            }
        }

        _wait.Complete(new FlushResult(isCanceled: false, isCompleted: true), onPool: true);
    }
}
