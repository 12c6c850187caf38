using Ktls.Kernel;
using Ktls.Transport;

namespace Ktls.Backends;

/// <summary>The writing half of a backend's connection, which begins by waiting until the connection stands.</summary>
internal sealed class BackendWrites(BackendSocket socket)
{
    // Its gate guards all fields and keeps the descriptor open. What a wait brings is how the last system call ended.
    private readonly PipeWait<SyscallResult> _wait = new();
    private ReadOnlyMemory<byte> _source;

    // As in BackendReads.
    private BackendStream? _writer;
    private SyscallResult _connected = SyscallResult.NotYet;
    private bool _stopped;

    public async ValueTask WaitConnectedAsync(BackendStream stream, CancellationToken cancellationToken)
    {
        SyscallResult connected = await Begin(stream, default, cancellationToken).ConfigureAwait(false);
        if (connected.Failed)
        {
            throw connected.ToException();
        }
    }

    public ValueTask WriteAsync(BackendStream writer, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        ValueTask<SyscallResult> writing = Begin(writer, source, cancellationToken);
        if (!writing.IsCompletedSuccessfully)
        {
            return Finish(writing);
        }

        SyscallResult written = writing.Result;
        return written.Failed ? ValueTask.FromException(Failure(written)) : ValueTask.CompletedTask;
    }

    /// <summary>The connection stands, or failed to, or has room again. On the loop.</summary>
    public void OnWritable()
    {
        SyscallResult result;
        lock (_wait.Gate)
        {
            if (_stopped)
            {
                return;
            }

            _connected = _connected.WouldBlock ? SocketCalls.TakeError(socket.Descriptor) : _connected;
            if (!_wait.IsActive)
            {
                return;
            }

            result = Proceed();
            if (result.WouldBlock)
            {
                return;
            }

            _writer = null;
            _wait.TryEnd();
        }

        _wait.Complete(result, onPool: false);
    }

    /// <summary>No system call after this. True: somebody waits, and <see cref="Fail"/> must follow.</summary>
    public bool Stop()
    {
        lock (_wait.Gate)
        {
            _stopped = true;
            (_writer, _source) = (null, default);
            return _wait.TryEnd();
        }
    }

    /// <summary>Whoever waited learns that the stream was closed.</summary>
    public void Fail() => _wait.Fail(new ObjectDisposedException(nameof(BackendStream)), onPool: true);

    private static async ValueTask Finish(ValueTask<SyscallResult> writing)
    {
        SyscallResult written = await writing.ConfigureAwait(false);
        if (written.Failed)
        {
            throw Failure(written);
        }
    }

    private static IOException Failure(SyscallResult written) =>
        new($"The backend's connection failed: {written.ErrorName}.", written.ToException());

    private ValueTask<SyscallResult> Begin(BackendStream writer, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        ValueTask<SyscallResult> waiting;
        lock (_wait.Gate)
        {
            ObjectDisposedException.ThrowIf(_stopped, typeof(BackendStream));
            if (_wait.IsActive)
            {
                throw new InvalidOperationException("A write is already pending.");
            }

            _source = source;
            SyscallResult result = Proceed();
            if (!result.WouldBlock)
            {
                return new ValueTask<SyscallResult>(result);
            }

            _writer = writer;
            waiting = _wait.Begin(cancellationToken);
        }

        _wait.Watch(cancellationToken);
        return waiting;
    }

    // NotYet: the socket will report that it can go on.
    private SyscallResult Proceed()
    {
        SyscallResult result = _connected;
        while (!result.Failed && !_source.IsEmpty)
        {
            result = SocketCalls.Send(socket.Descriptor, _source.Span);
            _source = result.Failed ? _source : _source[result.Value..];
        }

        if (result.Failed && !result.WouldBlock)
        {
            socket.Failure = result;
        }

        _source = result.WouldBlock ? _source : default;
        return result;
    }
}
