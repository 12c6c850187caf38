using System.Net.Sockets;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Ktls.Tests.Kernel;

public class EventQueueTests
{
    [Fact]
    public void A_connection_is_reported_by_edges()
    {
        using EventQueue queue = new();
        using SocketPair pair = new();
        ReadyEvent[] ready = new ReadyEvent[8];
        Assert.False(queue.AddConnection(pair.Descriptor, Token).Failed);
        Assert.Equal(1, queue.Wait(ready, TimeoutMilliseconds));
        Assert.Equal(new ReadyEvent(Token, Readable: false, Writable: true, PeerClosed: false, Broken: false), ready[0]);
        Assert.Equal(0, queue.Wait(ready, 0));

        pair.Peer.Send([1]);
        Assert.Equal(1, queue.Wait(ready, TimeoutMilliseconds));
        Assert.True(ready[0].Readable && !ready[0].PeerClosed);

        pair.Peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(1, queue.Wait(ready, TimeoutMilliseconds));
        Assert.True(ready[0].Readable && ready[0].PeerClosed && !ready[0].Broken);
        Assert.Equal(0, queue.Wait(ready, 0));
    }

    [Fact]
    public void A_reset_is_reported_as_broken()
    {
        using EventQueue queue = new();
        using SocketPair pair = new();
        queue.AddConnection(pair.Descriptor, Token);
        pair.Peer.LingerState = new LingerOption(true, 0);
        pair.Peer.Dispose();
        ReadyEvent[] ready = new ReadyEvent[8];
        Assert.True(SpinWait.SpinUntil(() => queue.Wait(ready, 100) == 1 && ready[0].Broken, TestKit.Timeouts.Exchange));
        Assert.True(ready[0].Readable && ready[0].Writable);
    }

    [Fact]
    public async Task A_wake_up_ends_the_wait_and_is_no_event()
    {
        using EventQueue queue = new();
        Task<int> waiting = Task.Run(() => queue.Wait(new ReadyEvent[8], -1));
        queue.Wake();
        Assert.Equal(0, await waiting.Within());
    }

    [Fact]
    public void A_removed_descriptor_is_silent()
    {
        using EventQueue queue = new();
        using SocketPair pair = new();
        queue.AddConnection(pair.Descriptor, Token);
        Assert.False(queue.Remove(pair.Descriptor).Failed);
        pair.Peer.Send([1]);
        Assert.Equal(0, queue.Wait(new ReadyEvent[8], 50));
        Assert.True(queue.Remove(pair.Descriptor).Failed);
    }

    private const ulong Token = (1UL << 32) | 5;

    private static readonly int TimeoutMilliseconds = (int)TestKit.Timeouts.Exchange.TotalMilliseconds;
}
