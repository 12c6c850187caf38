using System.Net;
using System.Net.Sockets;
using Ktls.Kernel;
using Xunit;

namespace Ktls.Tests.Kernel;

public sealed class AcceptedSocketTests
{
    /// <summary>They are set once, on the socket that listens.</summary>
    [Fact]
    public void An_accepted_socket_has_the_options_of_the_one_that_listens()
    {
        SyscallResult listening = SocketCalls.Listen(new IPEndPoint(IPAddress.Loopback, 0), backlog: 1);
        Assert.False(listening.Failed, listening.ErrorName);
        using Socket listener = new(new SafeSocketHandle(listening.Value, ownsHandle: true));
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        Assert.True(listener.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead));

        SyscallResult accepted = SocketCalls.Accept(listening.Value, out _);

        Assert.False(accepted.Failed, accepted.ErrorName);
        using Socket server = new(new SafeSocketHandle(accepted.Value, ownsHandle: true));
        Assert.True(server.NoDelay);
        Assert.NotEqual(0, (int)server.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
        Assert.InRange((int)server.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!, 1, 600);
    }
}
