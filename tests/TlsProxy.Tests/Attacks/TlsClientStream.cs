using System.Net.Security;
using System.Net.Sockets;
using TestKit.Network;

namespace TlsProxy.Tests.Attacks;

/// <summary>
/// A client that may send close_notify while it reads. <see cref="SslStream"/> takes turns between reading and writing, but not between these and
/// <see cref="SslStream.ShutdownAsync"/>: two threads in one OpenSSL session destroy the heap of the test.
/// </summary>
internal sealed class TlsClientStream : SslStream
{
    public TlsClientStream(Socket socket)
        : base(new Below(new NetworkStream(socket, ownsSocket: true)))
    {
    }

    /// <summary>Sends close_notify.</summary>
    /// <param name="reading">What reads from this stream all the time; afterwards nobody else is in the session.</param>
    public async Task ShutdownBesideAsync(Task reading)
    {
        Below below = (Below)InnerStream;
        Task alone = below.WaitsForBytes.WaitAsync();
        if (await Task.WhenAny(alone, reading) == reading)
        {
            await ShutdownAsync();
            return;
        }

        try
        {
            await ShutdownAsync();
        }
        finally
        {
            below.WaitsForBytes.Release();
        }
    }

    /// <summary>The connection below: free for others while a read waits for bytes, and taken while they are decrypted.</summary>
    private sealed class Below(Stream connection) : DirectStream
    {
        public SemaphoreSlim WaitsForBytes { get; } = new(0, 1);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            WaitsForBytes.Release();
            try
            {
                return await connection.ReadAsync(buffer, cancellationToken);
            }
            finally
            {
                await WaitsForBytes.WaitAsync(CancellationToken.None);
            }
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            connection.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => connection.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => connection.Flush();

        protected override void Dispose(bool disposing)
        {
            connection.Dispose();
            base.Dispose(disposing);
        }
    }
}
