using System.Net;
using System.Runtime.CompilerServices;
using Ktls.Kernel;
using Ktls.Transport;

namespace Ktls.Backends;

/// <summary>
/// A backend's connection on its loop. It knows its stream only while an operation waits, so that one that was forgotten can be found by the
/// garbage collector.
/// </summary>
internal sealed class BackendSocket : LoopSocket
{
    private readonly BackendReads _reads;
    private readonly BackendWrites _writes;
    private int _closed;
    private StrongBox<SyscallResult>? _failure;

    private BackendSocket(EventLoop loop, int descriptor, ulong token)
        : base(loop, descriptor, token)
    {
        _reads = new BackendReads(this);
        _writes = new BackendWrites(this);
    }

    /// <summary>A socket that begins to connect.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">It cannot even begin.</exception>
    public static BackendSocket Open(TransportResources transport, EventLoop loop, IPEndPoint backend)
    {
        SyscallResult connecting = SocketCalls.Connect(backend);
        if (connecting.Failed)
        {
            throw connecting.ToException();
        }

        BackendSocket socket = new(loop, connecting.Value, transport.Table.NextToken(connecting.Value));
        transport.Table.Replace(socket);
        SyscallResult added = loop.Add(socket);
        if (added.Failed)
        {
            socket.Close();
            throw added.ToException();
        }

        return socket;
    }

    /// <summary>How a send failed, which the kernel tells once; no failure while none did. Any thread.</summary>
    public SyscallResult Failure
    {
        get => Volatile.Read(ref _failure)?.Value ?? default;
        set => Volatile.Write(ref _failure, new StrongBox<SyscallResult>(value));
    }

    /// <summary>Completes once the connection stands.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The backend does not answer.</exception>
    public ValueTask WaitConnectedAsync(BackendStream stream, CancellationToken cancellationToken) =>
        _writes.WaitConnectedAsync(stream, cancellationToken);

    /// <summary>At least one byte, or 0 at the end of the stream. Into no room at all: completes once there is something to read.</summary>
    public ValueTask<int> ReadAsync(BackendStream reader, Memory<byte> destination, CancellationToken cancellationToken) =>
        _reads.ReadAsync(reader, destination, cancellationToken);

    /// <summary>Completes once the kernel has taken all of it.</summary>
    public ValueTask WriteAsync(BackendStream writer, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        _reads.OnAsked();
        return _writes.WriteAsync(writer, source, cancellationToken);
    }

    public override void OnReady(in ReadyEvent ready)
    {
        // The reader first: a socket tells what is wrong with it once, and a send that took it would leave a reset that looks like an end.
        if (ready.Readable)
        {
            _reads.OnReadable(ready.PeerClosed || ready.Broken || ready.HasError);
        }

        if (ready.Writable || ready.Broken || ready.HasError)
        {
            _writes.OnWritable();
        }
    }

    public override void OnPosted() => _reads.OnPosted();

    public override void OnDeadline()
    {
    }

    public override void OnFault(Exception fault) => Close();

    /// <summary>Closes it; what still waits fails. Any thread, idempotent.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            // After these no system call uses the descriptor any more.
            bool reading = _reads.Stop();
            bool writing = _writes.Stop();
            Loop.Close(this, reset: false);
            if (reading)
            {
                _reads.Fail();
            }

            if (writing)
            {
                _writes.Fail();
            }
        }
    }
}
