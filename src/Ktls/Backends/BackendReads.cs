using Ktls.Kernel;
using Ktls.Transport;

namespace Ktls.Backends;

/// <summary>
/// The reading half of a backend's connection. A read that waits for an answer costs no system call until it comes: the loop's last report says
/// that there is nothing, and the next one makes the call.
/// </summary>
internal sealed class BackendReads(BackendSocket socket)
{
    // Its gate guards all fields and keeps the descriptor open.
    private readonly PipeWait<int> _wait = new();
    private Memory<byte> _destination;

    // Whoever waits for bytes need not hold the stream they come from: it must not be collected meanwhile.
    private BackendStream? _reader;
    private bool _readable;
    private bool _peerClosed;
    private bool _stopped;
    private bool _answered;
    private TurnBudget _budget;

    public ValueTask<int> ReadAsync(BackendStream reader, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ValueTask<int> read;
        bool postponed;
        lock (_wait.Gate)
        {
            if (_wait.IsActive)
            {
                throw new InvalidOperationException("A read is already pending.");
            }

            ObjectDisposedException.ThrowIf(_stopped, typeof(BackendStream));

            // Nothing was asked since the last answer: this looks whether the connection may be used again. Bytes that nobody asked for would
            // be taken for the next request's answer, and the loop may not have come to them, or to a FIN, yet.
            _readable |= _answered && !destination.IsEmpty;
            postponed = _readable && _budget.IsSpent;
            if (!postponed && TryReceive(destination.Span, out SyscallResult received))
            {
                return received.Failed ? ValueTask.FromException<int>(Failure(received)) : new ValueTask<int>(received.Value);
            }

            (_reader, _destination) = (reader, destination);
            read = _wait.Begin(cancellationToken);
        }

        _wait.Watch(cancellationToken);
        if (postponed)
        {
            socket.Loop.Post(socket);
        }

        return read;
    }

    /// <summary>Something is asked of the backend: what comes next may be its answer.</summary>
    public void OnAsked()
    {
        lock (_wait.Gate)
        {
            _answered = false;
        }
    }

    /// <summary>The backend sent something, or its FIN. On the loop.</summary>
    public void OnReadable(bool peerClosed)
    {
        lock (_wait.Gate)
        {
            _readable = true;
            _peerClosed |= peerClosed;
        }

        OnPosted();
    }

    /// <summary>Reads for whoever waits. On the loop.</summary>
    public void OnPosted()
    {
        SyscallResult received;
        lock (_wait.Gate)
        {
            if (_stopped || !_wait.IsActive || !TryReceive(_destination.Span, out received))
            {
                return;
            }

            (_reader, _destination) = (null, default);
            _wait.TryEnd();
        }

        if (received.Failed)
        {
            _wait.Fail(Failure(received), onPool: false);
        }
        else
        {
            _wait.Complete(received.Value, onPool: false);
        }
    }

    /// <summary>No system call after this. True: somebody waits, and <see cref="Fail"/> must follow.</summary>
    public bool Stop()
    {
        lock (_wait.Gate)
        {
            _stopped = true;
            (_reader, _destination) = (null, default);
            return _wait.TryEnd();
        }
    }

    /// <summary>Whoever waited learns that the stream was closed.</summary>
    public void Fail() => _wait.Fail(new ObjectDisposedException(nameof(BackendStream)), onPool: true);

    // False: there is nothing now.
    private bool TryReceive(Span<byte> destination, out SyscallResult received)
    {
        received = default;
        if (!_readable || destination.IsEmpty)
        {
            // No room asks whether there is something, and the flag knows.
            return _readable;
        }

        received = SocketCalls.Receive(socket.Descriptor, destination);
        if (!received.Failed)
        {
            // A FIN gives no second edge: once it is known to be behind the data, keep reading up to it.
            _readable = _peerClosed || received.Value == destination.Length;
            _answered = true;
            _budget.Spend(received.Value);
        }

        if (received.MovedNothing && socket.Failure is { Failed: true } failure)
        {
            // A send has heard of the reset before, and the end that is left is not the backend's.
            received = failure;
        }

        _readable &= !received.WouldBlock;
        return !received.WouldBlock;
    }

    private static IOException Failure(SyscallResult received) =>
        new($"The backend's connection failed: {received.ErrorName}.", received.ToException());
}
