using System.Diagnostics;
using System.Net.Sockets;
using Aead;
using Aead.Keys;
using Aead.Records;
using Ktls.Kernel;
using Ktls.Tests.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Kernel.Tests.Kernel;

/// <summary>Many kTLS sockets in one submit, of which some have nothing yet.</summary>
public sealed class HiddenKernelReadTests
{
    public static TheoryData<string> Suites => KernelRecordTests.Suites;

    [Theory]
    [MemberData(nameof(Suites))]
    public void Each_socket_gets_its_own_answer_and_none_is_waited_for(string suite)
    {
        RecordPeer[] peers = [.. Enumerable.Range(0, 10).Select(_ => Connect(suite))];
        HiddenReadBench bench = peers[0].Bench;
        byte[] half = peers[0].Encryptor.Seal(ContentType.ApplicationData, TestRecords.Bytes(1000, seed: 1));
        peers[0].SendRaw(half.AsSpan(0, 500));
        peers[1].Send(ContentType.ApplicationData, TestRecords.Bytes(RecordHeader.PlaintextLengthMax, seed: 1));
        byte[] bad = peers[2].Encryptor.Seal(ContentType.ApplicationData, new byte[2000]);
        bad[1000] ^= 1;
        peers[2].SendRaw(bad);
        peers[3].Send(ContentType.ApplicationData, []);
        peers[4].Send(ContentType.Alert, [1, 0]);
        peers[5].Pair.Peer.Shutdown(SocketShutdown.Send);
        peers[6].Pair.Peer.LingerState = new LingerOption(true, 0);
        peers[6].Pair.Peer.Dispose();
        peers[8].Send(ContentType.ApplicationData, TestRecords.Bytes(1000, seed: 8));
        peers[8].Send(ContentType.Alert, [1, 0]);
        peers[9].SendRaw(half.AsSpan(0, 3));
        Thread.Sleep(50);

        SyscallResult[] results = bench.Submit([.. peers.Select((p, i) => bench.Read(p.Pair, i))]);
        Assert.True(bench.Region.IsHidden);
        Assert.True(results[0].WouldBlock, results[0].ErrorName);
        Assert.Equal(RecordHeader.PlaintextLengthMax, results[1].Value);
        Assert.True(results[2].BadRecord);
        Assert.True(results[3].WouldBlock, results[3].ErrorName);
        Assert.True(results[4].ControlRecordWaits);
        Assert.Equal((false, 0), (results[5].Failed, results[5].Value));
        Assert.Contains("ECONNRESET", results[6].ErrorName, StringComparison.Ordinal);
        Assert.True(results[7].WouldBlock, results[7].ErrorName);
        Assert.Equal(1000, results[8].Value);
        Assert.True(results[9].WouldBlock, results[9].ErrorName);
        Assert.Equal(TestRecords.Bytes(RecordHeader.PlaintextLengthMax, seed: 1), bench.Slot(1, RecordHeader.PlaintextLengthMax));
        Assert.Equal(TestRecords.Bytes(1000, seed: 8), bench.Slot(8, 1000));

        // What was not there yet comes to the next submit, and to no slot before.
        peers[0].SendRaw(half.AsSpan(500));
        peers[3].Send(ContentType.ApplicationData, [3]);
        peers[7].Send(ContentType.ApplicationData, [7]);
        Thread.Sleep(50);
        Assert.Equal(new byte[1000], bench.Slot(0, 1000));
        Assert.Equal(new byte[10], bench.Slot(3, 10));
        Assert.Equal(new byte[10], bench.Slot(7, 10));
        results = bench.Submit(bench.Read(peers[0].Pair, 10), bench.Read(peers[3].Pair, 11), bench.Read(peers[7].Pair, 12));
        Assert.Equal([1000, 1, 1], results.Select(r => r.Value));
        Assert.Equal(TestRecords.Bytes(1000, seed: 1), bench.Slot(10, 1000));
        Array.ForEach(peers, p => p.Dispose());
    }

    [Theory]
    [Trait("Runs", "Everywhere")]
    [MemberData(nameof(Suites))]
    public async Task Nothing_is_lost_or_late_when_records_race_the_end_of_a_submit(string suite)
    {
        const int Rounds = 400;
        using RecordPeer peer = Connect(suite);
        Task sending = Task.Run(() =>
        {
            Random random = new(1);
            for (int i = 0; i < Rounds; i++)
            {
                // In two parts, with a record without content in front now and then: both leave a read in the middle of something.
                byte[] record = peer.Encryptor.Seal(ContentType.ApplicationData, [(byte)i, (byte)(i >> 8)]);
                int part = random.Next(1, record.Length);
                peer.SendRaw(record.AsSpan(0, part));
                Thread.SpinWait(random.Next(5_000));
                peer.SendRaw(i % 3 > 0
                    ? record.AsSpan(part)
                    : [.. record.AsSpan(part), .. peer.Encryptor.Seal(ContentType.ApplicationData, [])]);
            }
        });
        List<byte> received = [];
        long start = Stopwatch.GetTimestamp();
        while (received.Count < Rounds * 2)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TestKit.Timeouts.Program, $"{received.Count} of {Rounds * 2} bytes came.");
            SyscallResult result = peer.Bench.Submit(peer.Bench.Read(peer.Pair))[0];
            Assert.True(!result.Failed || result.WouldBlock, result.ErrorName);
            byte[] at = peer.Bench.Slot(0, 64);
            if (!result.Failed)
            {
                received.AddRange(peer.Bench.Slot(0, result.Value));
            }

            Thread.Yield();
            Assert.Equal(at, peer.Bench.Slot(0, 64));
        }

        await sending.Within();
        Assert.Equal([.. Enumerable.Range(0, Rounds).SelectMany(i => new[] { (byte)i, (byte)(i >> 8) })], received);
    }

    /// <summary>
    /// Such records wake a reader and give it nothing to read. On Linux 6.1 two of them in a row hide its read from the cancel.
    /// </summary>
    [Theory]
    [Trait("Runs", "Everywhere")]
    [MemberData(nameof(Suites))]
    public async Task A_flood_of_records_without_content_holds_up_nobody(string suite)
    {
        using RecordPeer peer = Connect(suite);
        int submits = 0;
        Task flooding = Task.Run(() =>
        {
            Random random = new(1);
            for (int round = 0; round < 300; round++)
            {
                int seen = Volatile.Read(ref submits);
                for (int i = random.Next(4); i >= 0; i--)
                {
                    peer.Send(ContentType.ApplicationData, []);
                    Thread.SpinWait(random.Next(1_000));
                }

                // Nothing more comes until the reader has come back, which it must do by itself.
                if (!SpinWait.SpinUntil(() => Volatile.Read(ref submits) > seen, TestKit.Timeouts.Exchange))
                {
                    peer.Send(ContentType.ApplicationData, [1]);
                    Assert.Fail($"In round {round} the reader waited for more.");
                }
            }
        });
        while (!flooding.IsCompleted)
        {
            SyscallResult result = peer.Bench.Submit(peer.Bench.Read(peer.Pair))[0];
            Assert.True(result.WouldBlock || !result.Failed, result.ErrorName);
            Interlocked.Increment(ref submits);
        }

        await flooding;
    }

    /// <summary>
    /// The transport's sockets never block. This one does, and on Linux 6.1 a half record then keeps a worker of the kernel busy.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(20_000)]
    public void Not_even_a_socket_that_blocks_is_waited_for(int receiveTimeoutMilliseconds)
    {
        using RecordPeer bystander = new(TestRecords.Tls12);
        using SocketPair pair = new();
        pair.Peer.ReceiveTimeout = receiveTimeoutMilliseconds;
        KernelTlsSocket socket = new((int)pair.Peer.Handle);
        RecordPeer.Done(socket.Attach());
        using DirectionKeys keys = RecordPeer.Keys(TestRecords.Tls12, RecordPeer.ReceiveSeed, first: 0);
        RecordPeer.Done(socket.Install(KernelDirection.Receive, keys));
        HiddenRead read = bystander.Bench.Read(bystander.Pair) with { Descriptor = (int)pair.Peer.Handle };

        byte[] record = RecordForge.Seal(keys, 0, ContentType.ApplicationData, TestRecords.Bytes(1000, seed: 1));
        pair.Ours.Send(record.AsSpan(0, 500));
        using (Timer rescue = new(_ => pair.Ours.Send(record.AsSpan(500)), null, TestKit.Timeouts.Exchange / 4, Timeout.InfiniteTimeSpan))
        {
            for (int i = 0; i < 20; i++)
            {
                SyscallResult result = bystander.Bench.Submit(read)[0];
                Assert.True(result.WouldBlock, result.Failed ? result.ErrorName : "It waited for the rest of the record.");
            }
        }

        pair.Ours.Send(record.AsSpan(500));
        Assert.True(SpinWait.SpinUntil(() => bystander.Bench.Submit(read)[0].Value == 1000, TestKit.Timeouts.Exchange));
        Assert.Equal(TestRecords.Bytes(1000, seed: 1), bystander.Bench.Slot(0, 1000));
    }

    [Fact]
    public void A_slot_may_begin_and_end_within_a_page()
    {
        using RecordPeer peer = new(TestRecords.Tls12);
        byte[] sent = TestRecords.Bytes(RecordHeader.PlaintextLengthMax, seed: 1);
        peer.Send(ContentType.ApplicationData, sent);
        HiddenRead read = peer.Bench.Read(peer.Pair);
        nint start = peer.Bench.Region.Address + 5;
        SyscallResult first = peer.Bench.Submit(read with { Address = start, Length = 5000 })[0];
        Assert.Equal(5000, first.Value);
        SyscallResult second = peer.Bench.Submit(read with { Address = start + 5000 })[0];
        Assert.Equal(sent.Length - 5000, second.Value);
        Assert.Equal([0, 0, 0, 0, 0, .. sent, 0], peer.Bench.Region.Peek(0, 5 + sent.Length + 1));
    }

    private static RecordPeer Connect(string suite) => new(CipherSuite.Find(suite)!);
}
