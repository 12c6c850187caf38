using System.Net.Sockets;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Ktls.Tests.Kernel;

/// <summary>On ordinary sockets, which a ring reads as it reads kTLS ones; those are in Kernel.Tests.</summary>
public class HiddenReadRingTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_of_many_reads_gets_its_own_result(bool cancels)
    {
        const int Count = 48;
        using HiddenReadBench bench = new(cancels, Count);
        HiddenRead[] reads = new HiddenRead[Count];
        for (int i = 0; i < Count; i++)
        {
            SocketPair pair = bench.Connect();
            reads[i] = bench.Read(pair, i);
            switch (i % 4)
            {
                case 0:
                    pair.Peer.Send(TestRecords.Bytes(100 + i, seed: i));
                    break;
                case 1:
                    pair.Peer.Shutdown(SocketShutdown.Send);
                    break;
                case 2:
                    pair.Peer.LingerState = new LingerOption(true, 0);
                    pair.Peer.Dispose();
                    break;
                default:
                    break;
            }

            Assert.True(i % 4 == 3 || pair.Ours.Poll(TestKit.Timeouts.Exchange, SelectMode.SelectRead));
        }

        Array.Reverse(reads);
        SyscallResult[] results = bench.Submit(reads);
        Array.Reverse(results);
        Assert.True(bench.Region.IsHidden);
        for (int i = 0; i < Count; i++)
        {
            switch (i % 4)
            {
                case 0:
                    Assert.Equal(100 + i, results[i].Value);
                    Assert.Equal([.. TestRecords.Bytes(100 + i, seed: i), 0], bench.Slot(i, 101 + i));
                    break;
                case 1:
                    Assert.True(!results[i].Failed && results[i].Value == 0, results[i].ErrorName);
                    break;
                case 2:
                    Assert.Contains("ECONNRESET", results[i].ErrorName, StringComparison.Ordinal);
                    break;
                default:
                    Assert.True(results[i].WouldBlock && !results[i].Canceled, results[i].ErrorName);
                    break;
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_comes_after_a_submit_stays_in_the_socket(bool cancels)
    {
        using HiddenReadBench bench = new(cancels);
        SocketPair pair = bench.Connect();
        Assert.True(bench.Submit(bench.Read(pair))[0].WouldBlock);
        pair.Peer.Send([1, 2, 3]);
        await Task.Delay(100);
        Assert.Equal([0, 0, 0], bench.Slot(0, 3));
        Assert.Equal(3, bench.Submit(bench.Read(pair, slot: 1))[0].Value);
        Assert.Equal([0, 0, 0], bench.Slot(0, 3));
        Assert.Equal([1, 2, 3], bench.Slot(1, 3));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_is_lost_or_late_when_data_races_the_end_of_a_submit(bool cancels)
    {
        const int Rounds = 400;
        using HiddenReadBench bench = new(cancels);
        SocketPair pair = bench.Connect();
        Task sending = Task.Run(() =>
        {
            Random random = new(1);
            for (int i = 0; i < Rounds; i++)
            {
                Thread.SpinWait(random.Next(20_000));
                pair.Peer.Send([(byte)i, (byte)(i >> 8)]);
            }
        });
        List<byte> received = [];
        long end = Environment.TickCount64 + (long)TestKit.Timeouts.Exchange.TotalMilliseconds;
        while (received.Count < Rounds * 2 && Environment.TickCount64 < end)
        {
            SyscallResult result = bench.Submit(bench.Read(pair))[0];
            byte[] at = bench.Slot(0, 16);
            Assert.True(!result.Failed || result.WouldBlock, result.ErrorName);
            if (!result.Failed)
            {
                received.AddRange(bench.Slot(0, result.Value));
            }

            Thread.SpinWait(1000);
            Assert.Equal(at, bench.Slot(0, 16));
        }

        await sending.Within();
        Assert.Equal([.. Enumerable.Range(0, Rounds).SelectMany(i => new[] { (byte)i, (byte)(i >> 8) })], received);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(5, 5000)]
    [InlineData(4095, 2)]
    [InlineData(4096, 4096)]
    [InlineData(1, (256 << 10) - 2)]
    [InlineData(0, 256 << 10)]
    public void Zeroing_reaches_what_it_should_and_no_more(int offset, int bytes)
    {
        using HiddenReadBench bench = new();
        bench.Fill(0xA5, bench.Region.Bytes);
        bench.Ring.Zero(bench.Region.Address + offset, bytes);
        Assert.True(bench.Region.IsHidden);
        byte[] expected = new byte[bench.Region.Bytes];
        expected.AsSpan(0, offset).Fill(0xA5);
        expected.AsSpan(offset + bytes).Fill(0xA5);
        Assert.Equal(expected, bench.Region.Peek(0, bench.Region.Bytes));
    }

    [Fact]
    [Trait("Claim", "I3")]
    public void Zeroing_is_complete_however_often_the_kernel_stops_early()
    {
        // Short reads of /dev/zero come when another thread wants the processor.
        using HiddenReadBench bench = new(slots: 64);
        bool stop = false;
        Thread[] busy = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                Thread.Yield();
            }
        })
        { IsBackground = true })];
        Array.ForEach(busy, t => t.Start());
        for (int i = 0; i < 20; i++)
        {
            bench.Fill(0xA5, 1 << 20);
            bench.Ring.Zero(bench.Region.Address, bench.Region.Bytes);
            Assert.False(bench.Region.Peek(0, 1 << 20).AsSpan().ContainsAnyExcept((byte)0));
        }

        Volatile.Write(ref stop, true);
        Array.ForEach(busy, t => t.Join());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_submit_allocates_nothing(bool cancels)
    {
        using HiddenReadBench bench = new(cancels);
        HiddenRead[] reads = [bench.Read(bench.Connect()), bench.Read(bench.Connect(), 1)];
        Submit100();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Submit100();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Submit100()
        {
            for (int i = 0; i < 100; i++)
            {
                bench.Ring.Submit(reads);
                bench.Ring.Zero(bench.Region.Address, 100);
            }
        }
    }

    [Fact]
    public void What_cannot_be_read_is_an_error_of_that_read_alone()
    {
        using HiddenReadBench bench = new();
        SocketPair pair = bench.Connect();
        pair.Peer.Send([1, 2, 3]);
        Assert.True(pair.Ours.Poll(TestKit.Timeouts.Exchange, SelectMode.SelectRead));
        SyscallResult[] results = bench.Submit(
            bench.Read(pair) with { Descriptor = -1 },
            bench.Read(pair, slot: 3) with { Length = HiddenReadBench.SlotBytes + 1 },
            bench.Read(pair) with { Address = 4096 },
            bench.Read(pair));
        Assert.All(results[..3], r => Assert.True(r.Failed && !r.WouldBlock, r.ErrorName));
        Assert.Equal(3, results[3].Value);
    }

    [Fact]
    public void Nothing_to_read_makes_no_call_and_too_much_is_refused()
    {
        using HiddenReadBench bench = new(cancels: true, slots: 1);
        bench.Ring.Submit([]);
        HiddenRead read = bench.Read(bench.Connect());
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Submit(read, read));
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Ring.Zero(bench.Region.Address, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => HiddenReadRing.TryCreate(0, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => HiddenReadRing.TryCreate(HiddenReadRing.ReadsMaxLimit + 1, out _));
    }

    [Fact]
    public void Pages_are_pinned_once_before_anything_is_read()
    {
        HiddenReadRing ring = HiddenReadRing.TryCreate(1, out _)!;
        HiddenRead read = new() { Descriptor = 0, Address = 0, Length = 1 };
        Assert.Throws<InvalidOperationException>(() => ring.Submit([read]));
        Assert.Throws<InvalidOperationException>(() => ring.Zero(0, 1));
        using TestKit.Pages.HiddenRegion region = new(ring, 4096);
        Assert.Throws<InvalidOperationException>(() => ring.Pin(region.Address, 4096));
        ring.Dispose();
        ring.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ring.Submit([read]));
        Assert.Throws<ObjectDisposedException>(() => ring.Zero(region.Address, 1));
        Assert.Throws<ObjectDisposedException>(() => ring.Pin(region.Address, 4096));
    }

    [Fact]
    public void What_the_kernel_does_not_pin_is_refused_in_a_sentence()
    {
        using HiddenReadRing ring = HiddenReadRing.TryCreate(1, out _)!;
        Assert.Contains("1024 MiB", Assert.Throws<Aead.Pages.PagePoolException>(() => ring.Pin(4096, (1L << 30) + 4096)).Message,
            StringComparison.Ordinal);
        Assert.Contains("EFAULT", Assert.Throws<Aead.Pages.PagePoolException>(() => ring.Pin(4096, 4096)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_largest_ring_takes_as_many_reads_as_it_says()
    {
        using HiddenReadRing ring = HiddenReadRing.TryCreate(HiddenReadRing.ReadsMaxLimit, out _)!;
        using TestKit.Pages.HiddenRegion region = new(ring, 4096);
        using FileStream zeros = File.OpenRead("/dev/zero");
        HiddenRead[] reads = new HiddenRead[ring.ReadsMax];
        int descriptor = (int)zeros.SafeFileHandle.DangerousGetHandle();
        Array.Fill(reads, new HiddenRead { Descriptor = descriptor, Address = region.Address, Length = 1 });
        ring.Submit(reads);
        Assert.All(reads, r => Assert.Equal(1, r.Result.Value));
    }
}
