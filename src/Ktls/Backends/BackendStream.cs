namespace Ktls.Backends;

/// <summary>
/// A connection to a backend, for one reader and one writer at a time. Continuations run inline on the loop. Whoever forgets to dispose it
/// leaves the descriptor to the finalizer: the loop knows the socket alone, not this.
/// </summary>
internal sealed class BackendStream : Stream
{
    private readonly BackendSocket _socket;

    private BackendStream(BackendSocket socket) => _socket = socket;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Waits until the socket is connected. Takes the socket over, also when it fails.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The backend does not answer.</exception>
    public static async ValueTask<BackendStream> ConnectAsync(BackendSocket socket, CancellationToken cancellationToken)
    {
        BackendStream stream = new(socket);
        try
        {
            await socket.WaitConnectedAsync(stream, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return stream;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _socket.ReadAsync(this, buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _socket.WriteAsync(this, buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException(AsynchronousOnly);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException(AsynchronousOnly);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _socket.Close();
        base.Dispose(disposing);
    }

    ~BackendStream() => Dispose(disposing: false);

    private const string AsynchronousOnly = "A loop must never wait: use ReadAsync and WriteAsync.";
}
