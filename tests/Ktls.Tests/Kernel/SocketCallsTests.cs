using System.Net;
using System.Net.Sockets;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Ktls.Tests.Kernel;

public class SocketCallsTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::")]
    public void A_client_is_accepted_and_both_addresses_are_told(string address)
    {
        SyscallResult listener = SocketCalls.Listen(new IPEndPoint(IPAddress.Parse(address), 0), 8);
        Assert.False(listener.Failed, listener.ErrorName);
        int port = SocketCalls.LocalAddress(listener.Value).Port;
        Assert.True(SocketCalls.Accept(listener.Value, out _).WouldBlock);

        // A socket that listens on every address of both families shows an IPv4 client as what it is.
        IPAddress target = address == "127.0.0.1" || address == "::" ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        using Socket client = new(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(target, port);
        SyscallResult accepted = SocketCalls.Accept(listener.Value, out IPEndPoint? peer);
        Assert.Equal(client.LocalEndPoint, peer);
        Assert.Equal(client.RemoteEndPoint, SocketCalls.LocalAddress(accepted.Value));
        SocketCalls.Close(accepted.Value);
        SocketCalls.Close(listener.Value);
    }

    [Fact]
    public void A_taken_port_is_named()
    {
        SyscallResult first = SocketCalls.Listen(new IPEndPoint(IPAddress.Loopback, 0), 8);
        SyscallResult second = SocketCalls.Listen(SocketCalls.LocalAddress(first.Value), 8);
        Assert.True(second.AddressInUse);
        Assert.Contains("EADDRINUSE", second.ErrorName, StringComparison.Ordinal);
        SocketCalls.Close(first.Value);
    }

    [Fact]
    public void Pieces_are_sent_in_order_and_counted_until_they_are_acknowledged()
    {
        using SocketPair pair = new();
        byte[] pinned = GC.AllocateArray<byte>(100, pinned: true);
        Array.ForEach([.. Enumerable.Range(0, 100)], i => pinned[i] = (byte)i);
        ArraySegment<byte>[] pieces = [new(pinned, 10, 5), new(pinned, 0, 2), new(pinned, 99, 1)];
        Assert.Equal(8, SocketCalls.Send(pair.Descriptor, pieces).Value);
        byte[] received = new byte[20];
        Assert.Equal(8, pair.Peer.Receive(received));
        Assert.Equal([10, 11, 12, 13, 14, 0, 1, 99], received[..8]);
        Assert.True(SpinWait.SpinUntil(() => SocketCalls.UnacknowledgedBytes(pair.Descriptor) == 0, TestKit.Timeouts.Exchange));
    }

    [Fact]
    public void What_a_full_peer_has_not_taken_is_counted()
    {
        using SocketPair pair = new(peerReceiveBuffer: 4096);
        byte[] bytes = new byte[1 << 20];
        int sent = 0;
        for (SyscallResult result; !(result = SocketCalls.Send(pair.Descriptor, bytes)).Failed;)
        {
            sent += result.Value;
        }

        Assert.InRange(SocketCalls.UnacknowledgedBytes(pair.Descriptor), 1, sent);
    }

    [Fact]
    public void What_a_reset_connection_had_on_its_way_is_not_waited_for()
    {
        using SocketPair pair = new(peerReceiveBuffer: 4096);
        byte[] bytes = new byte[1 << 20];
        while (!SocketCalls.Send(pair.Descriptor, bytes).Failed)
        {
        }

        Assert.NotEqual(0, SocketCalls.UnacknowledgedBytes(pair.Descriptor));
        pair.Peer.LingerState = new LingerOption(enable: true, seconds: 0);
        pair.Peer.Close();
        Assert.True(SpinWait.SpinUntil(() => SocketCalls.UnacknowledgedBytes(pair.Descriptor) == 0, TestKit.Timeouts.Exchange));
    }

    [Fact]
    public void Receiving_tells_nothing_yet_from_the_end()
    {
        using SocketPair pair = new();
        byte[] buffer = new byte[10];
        Assert.True(SocketCalls.Receive(pair.Descriptor, buffer).WouldBlock);
        pair.Peer.Send([1, 2, 3]);
        Assert.True(SpinWait.SpinUntil(() => pair.Ours.Available == 3, TestKit.Timeouts.Exchange));
        Assert.Equal(2, SocketCalls.Receive(pair.Descriptor, buffer.AsSpan(0, 2)).Value);
        Assert.Equal(1, SocketCalls.Discard(pair.Descriptor, 1000).Value);
        pair.Peer.Shutdown(SocketShutdown.Send);
        Assert.True(pair.Ours.Poll(TestKit.Timeouts.Exchange, SelectMode.SelectRead));
        SyscallResult end = SocketCalls.Discard(pair.Descriptor, 1000);
        Assert.False(end.Failed);
        Assert.Equal(0, end.Value);
    }

    [Fact]
    public void A_failure_is_told_by_name()
    {
        SyscallResult result = SocketCalls.Receive(-1, new byte[1]);
        Assert.True(result.Failed);
        Assert.False(result.WouldBlock || result.AddressInUse || result.OutOfResources);
        Assert.NotEmpty(result.ErrorName);
        Assert.DoesNotContain("errno", result.ErrorName, StringComparison.OrdinalIgnoreCase);
    }
}
