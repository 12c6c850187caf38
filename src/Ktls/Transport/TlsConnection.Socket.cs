using Ktls.Kernel;

namespace Ktls.Transport;

internal sealed partial class TlsConnection
{
    /// <summary>The connection on its loop. A class of its own because a ConnectionContext cannot be a LoopSocket too.</summary>
    internal sealed class ConnectionSocket(TlsConnection connection, LoopSocket handshake)
        : LoopSocket(handshake.Loop, handshake.Descriptor, handshake.Token)
    {
        public TlsConnection Connection { get; } = connection;

        public override void OnReady(in ReadyEvent ready) => Connection.OnReady(ready);

        public override void OnPosted() => Connection._reader.OnPosted();

        public override void JoinTurn(HiddenReceive hidden) => Connection._reader.JoinTurn(hidden);

        public override void OnDeadline() => Connection.OnDeadline();

        public override void OnFault(Exception fault) =>
            Connection.GiveUp(new ReadEnd(ReadEndKind.Aborted, default, "The transport failed to serve the connection."));
    }
}
