using Ktls.Kernel;

namespace Ktls.Transport;

internal sealed partial class TlsConnection
{
    bool IWriterOwner.IsLoopBusy => _socket.Loop.IsAwake && EventLoop.Current != _socket.Loop;

    void IReaderOwner.PostRead() => _socket.Loop.Post(_socket);

    void IWriterOwner.PostSend() => _socket.Loop.Post(_socket);

    /// <summary>The connection on its loop. A class of its own because a ConnectionContext cannot be a LoopSocket too.</summary>
    internal sealed class ConnectionSocket(TlsConnection connection, LoopSocket handshake)
        : LoopSocket(handshake.Loop, handshake.Descriptor, handshake.Token)
    {
        public TlsConnection Connection { get; } = connection;

        public override void OnReady(in ReadyEvent ready) => Connection.OnReady(ready);

        public override void OnPosted()
        {
            Connection._writer.OnPosted();
            Connection._reader.OnPosted();
        }

        public override void JoinTurn(HiddenReceive hidden) => Connection._reader.JoinTurn(hidden);

        public override void OnDeadline() => Connection.OnDeadline();

        public override void OnFault(Exception fault) =>
            Connection.GiveUp(new ReadEnd(ReadEndKind.Aborted, default, "The transport failed to serve the connection."));
    }

    // HTTP/2 flushes for each of its streams, on threads of the pool: several flushes may share one send.
    private const string ManyStreams = "h2";
}
