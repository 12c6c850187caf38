using System.Collections.Concurrent;
using System.Net.Sockets;
using Ktls.Kernel;
using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.Transport;

public class LingeringCloseDrainTests
{
    [Fact]
    public async Task What_the_peer_still_sends_is_thrown_away_until_its_fin_and_the_rest_arrives()
    {
        using ClosingBench bench = new();
        bench.Peer.Send(new byte[100_000]);
        bench.Close(new PlainUnreadBytes(bench.Descriptor), Long, 1, 2, 3);
        Assert.Equal([1, 2, 3], ReadToEnd(bench.Peer));
        bench.Peer.Send(new byte[100_000]);
        Assert.False(bench.IsClosed);
        bench.Peer.Shutdown(SocketShutdown.Send);
        await bench.UntilClosedAsync();
        Assert.False(bench.Peer.Poll(20_000, SelectMode.SelectError));
    }

    [Fact]
    public async Task A_drain_that_belongs_to_the_loop_is_called_nowhere_else()
    {
        using ClosingBench bench = new();
        LoopDrain drain = new();
        bench.Close(drain, Long, 1);
        Assert.Equal([1], ReadToEnd(bench.Peer));
        bench.Peer.Shutdown(SocketShutdown.Send);
        await bench.UntilClosedAsync();
        Assert.NotEmpty(drain.Callers);
        Assert.All(drain.Callers, name => Assert.StartsWith("tls-loop", name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_direction_that_cannot_be_read_waits_for_the_fin_and_reads_nothing()
    {
        using ClosingBench bench = new();
        bench.Peer.Send(new byte[5000]);
        bench.Close(new WaitForFin(bench.Descriptor, peerClosed: false), Long, 2, 20);
        Assert.Equal([2, 20], ReadToEnd(bench.Peer));
        bench.Peer.Send(new byte[5000]);
        await Task.Delay(50);
        Assert.False(bench.IsClosed);
        bench.Peer.Shutdown(SocketShutdown.Send);
        await bench.UntilClosedAsync();
    }

    [Fact]
    public async Task A_fin_that_came_before_the_close_is_not_waited_for_but_the_acknowledgement_is()
    {
        using ClosingBench bench = new();
        bench.Peer.Send(new byte[5000]);
        bench.Peer.Shutdown(SocketShutdown.Send);
        bench.Close(new WaitForFin(bench.Descriptor, peerClosed: true), Long, 2, 20);
        await bench.UntilClosedAsync();
        byte[] received = new byte[10];
        Assert.Equal(2, bench.Peer.Receive(received));
        Assert.Equal([2, 20], received[..2]);
    }

    [Fact]
    public async Task A_peer_that_never_sends_its_fin_is_left_after_the_patience()
    {
        using ClosingBench bench = new();
        bench.Close(new WaitForFin(bench.Descriptor, peerClosed: false), TimeSpan.FromMilliseconds(50), 2, 20);
        await bench.UntilClosedAsync();
        Assert.Equal([2, 20], ReadToEnd(bench.Peer));
    }

    [Fact]
    public async Task A_drain_that_fails_resets()
    {
        using ClosingBench bench = new();
        bench.Close(new BrokenDrain(), Long);
        await bench.UntilClosedAsync();
        Assert.True(bench.Peer.Poll(1_000_000, SelectMode.SelectError));
    }

    [Fact]
    public void A_kernel_that_keeps_nothing_back_gets_the_fin_at_once()
    {
        using ClosingBench bench = new();
        bench.Close(new PlainUnreadBytes(bench.Descriptor), Long, new TakenByTheKernel());
        bench.Peer.ReceiveTimeout = 200;
        Assert.Equal([], ReadToEnd(bench.Peer));
    }

    [Fact]
    public async Task What_the_kernel_kept_back_from_a_full_socket_goes_before_the_fin()
    {
        using ClosingBench bench = new(peerReceiveBuffer: 8192);
        byte[] fill = new byte[1 << 20];
        int sent = 0;
        for (SyscallResult took; !(took = SocketCalls.Send(bench.Descriptor, fill)).Failed;)
        {
            sent += took.Value;
        }

        bench.Close(new PlainUnreadBytes(bench.Descriptor), Long, new TakenByTheKernel());

        // As kTLS does when there is room again.
        int late = 0;
        byte[] buffer = new byte[4096];
        while (late == 0)
        {
            sent -= bench.Peer.Receive(buffer);
            SyscallResult took = SocketCalls.Send(bench.Descriptor, "late"u8);
            Assert.True(took is { Failed: false, Value: 4 } || took.WouldBlock, took.ErrorName);
            late = took.Failed ? 0 : took.Value;
        }

        byte[] rest = ReadToEnd(bench.Peer);
        Assert.Equal(sent + late, rest.Length);
        Assert.Equal("late"u8, rest.AsSpan(^4));
        bench.Peer.Shutdown(SocketShutdown.Send);
        await bench.UntilClosedAsync();
    }

    private static byte[] ReadToEnd(Socket peer)
    {
        using MemoryStream received = new();
        byte[] buffer = new byte[100];
        for (int count; (count = peer.Receive(buffer)) > 0;)
        {
            received.Write(buffer, 0, count);
        }

        return received.ToArray();
    }

    // Far longer than any of these tests may take.
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private sealed class TakenByTheKernel : IPendingSend
    {
        public int QueuedBytes => 0;

        public bool MayBeHeldBack => true;

        public SendStatus Send() => SendStatus.Sent;

        public void Clear()
        {
        }
    }

    private sealed class LoopDrain : IUnreadBytes
    {
        private volatile bool _peerClosed;

        public ConcurrentQueue<string> Callers { get; } = new();

        public bool OnLoopOnly => true;

        public void OnPeerClosed() => _peerClosed = true;

        public SyscallResult Discard(int bytesMax)
        {
            Callers.Enqueue(Thread.CurrentThread.Name ?? "");
            return _peerClosed ? SyscallResult.FromCompletion(0) : SyscallResult.NotYet;
        }
    }

    private sealed class BrokenDrain : IUnreadBytes
    {
        public bool OnLoopOnly => false;

        public void OnPeerClosed()
        {
        }

        public SyscallResult Discard(int bytesMax) => SyscallResult.FromError(Tmds.Linux.LibC.ECONNRESET);
    }
}
