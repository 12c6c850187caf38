using System.Net;
using System.Net.Sockets;

namespace Ktls.Tests.Transport;

/// <summary>A connected pair on the loopback; our end never blocks, as the transport's sockets do not.</summary>
internal sealed class SocketPair : IDisposable
{
    public SocketPair(int peerReceiveBuffer = 0)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        Peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveTimeout = (int)TestKit.Timeouts.Exchange.TotalMilliseconds,
            SendTimeout = (int)TestKit.Timeouts.Exchange.TotalMilliseconds,
        };
        if (peerReceiveBuffer > 0)
        {
            Peer.ReceiveBufferSize = peerReceiveBuffer;
        }

        Peer.Connect(listener.LocalEndPoint!);
        Ours = listener.Accept();
        Ours.NoDelay = true;
        Ours.Blocking = false;
        if (peerReceiveBuffer > 0)
        {
            Ours.SendBufferSize = peerReceiveBuffer;
        }
    }

    public Socket Ours { get; }

    public Socket Peer { get; }

    public int Descriptor => (int)Ours.Handle;

    public void Dispose()
    {
        Ours.Dispose();
        Peer.Dispose();
    }
}
