using Aead;
using Aead.Records;
using Ktls.Transport;

namespace Ktls.Tests.Transport;

/// <summary>The user-space record layer, sending to a peer that opens what it gets.</summary>
internal sealed class SinkBench : IDisposable
{
    private readonly SocketPair _sockets;

    public SinkBench(CipherSuite suite, int peerReceiveBuffer = 0)
    {
        _sockets = new SocketPair(peerReceiveBuffer);
        Sink = new GuardedRecordSink(
            _sockets.Descriptor, new RecordEncryptor(TestRecords.Keys(suite, 1)), new OutgoingBlockPool());
        Writer = new RecordPipeWriter(Sink);
        Peer = new RecordStream(_sockets.Peer, TestRecords.Keys(suite, 2), TestRecords.Keys(suite, 1));
    }

    public GuardedRecordSink Sink { get; }

    public RecordPipeWriter Writer { get; }

    public RecordStream Peer { get; }

    /// <summary>True when nothing is there for the peer.</summary>
    public bool IsQuiet => !Peer.Socket.Poll(20_000, System.Net.Sockets.SelectMode.SelectRead);

    public void Write(ReadOnlySpan<byte> bytes, int sizeHint = 0)
    {
        bytes.CopyTo(Writer.GetSpan(Math.Max(sizeHint, bytes.Length)));
        Writer.Advance(bytes.Length);
    }

    /// <summary>Closes our end of the socket.</summary>
    public void Hang() => _sockets.Ours.Dispose();

    public void Dispose()
    {
        Sink.Dispose();
        Peer.Dispose();
        _sockets.Dispose();
    }
}
