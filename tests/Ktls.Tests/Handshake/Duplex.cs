using System.IO.Pipelines;
using TestKit.Network;

namespace Ktls.Tests.Handshake;

/// <summary>Two connected streams in memory.</summary>
internal static class Duplex
{
    public static (Stream Client, Stream Server) Create()
    {
        var up = new Pipe();
        var down = new Pipe();
        return (new PipeStream(down.Reader, up.Writer), new PipeStream(up.Reader, down.Writer));
    }

    private sealed class PipeStream(PipeReader reader, PipeWriter writer) : DirectStream
    {
        private readonly Stream _read = reader.AsStream();
        private readonly Stream _write = writer.AsStream();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer,
            CancellationToken cancellationToken = default) =>
            _read.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer,
            CancellationToken cancellationToken = default) =>
            _write.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) =>
            _write.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => _read.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) =>
            _write.Write(buffer, offset, count);

        public override void Flush() => _write.Flush();

        protected override void Dispose(bool disposing)
        {
            reader.Complete();
            writer.Complete();
            base.Dispose(disposing);
        }
    }
}
