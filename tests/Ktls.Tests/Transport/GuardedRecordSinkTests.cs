using System.IO.Pipelines;
using Aead;
using Aead.Records;
using Ktls.Transport;
using TestKit.Records;
using Xunit;

namespace Ktls.Tests.Transport;

public class GuardedRecordSinkTests
{
    [Fact]
    public async Task A_flush_with_nothing_written_sends_nothing()
    {
        using SinkBench bench = new(TestRecords.Tls13);
        _ = bench.Writer.GetMemory(100);
        Assert.False((await bench.Writer.FlushAsync().Within()).IsCompleted);
        bench.Writer.Advance(0);
        await bench.Writer.FlushAsync().Within();
        Assert.True(bench.IsQuiet);
    }

    [Fact]
    public async Task A_stuck_peer_costs_256_kib_of_queue_before_a_flush_waits()
    {
        using SinkBench bench = new(TestRecords.Tls13, peerReceiveBuffer: 8192);
        byte[] bytes = TestRecords.Bytes(16_384, 5);
        int written = 0;
        Task<FlushResult> flush = Task.FromResult(default(FlushResult));
        while (flush.IsCompleted && written < 64 << 20)
        {
            bench.Write(bytes);
            written += bytes.Length;
            flush = bench.Writer.FlushAsync().AsTask();
        }

        Assert.False(flush.IsCompleted);
        Assert.InRange(written, GuardedRecordSink.QueuedBytesMax, 16 << 20);
        Task<byte[]> reading = Task.Run(() => bench.Peer.ReceiveData(written));
        while (!flush.IsCompleted)
        {
            bench.Writer.OnWritable();
            await Task.Delay(1);
        }

        Assert.False((await flush.Within()).IsCompleted);
        while (!reading.IsCompleted)
        {
            bench.Writer.OnWritable();
            await Task.Delay(1);
        }

        byte[] received = await reading;
        Assert.Equal(written, received.Length);
        Assert.True(received.AsSpan(written - bytes.Length).SequenceEqual(bytes));
    }

    [Fact]
    public async Task More_room_than_a_record_has_can_be_asked_for()
    {
        using SinkBench bench = new(TestRecords.Tls12);
        byte[] bytes = TestRecords.Bytes(100_000, 6);
        Assert.True(bench.Writer.GetMemory(200_000).Length >= 200_000);
        bench.Write(bytes, sizeHint: 150_000);
        await bench.Writer.FlushAsync().Within();
        Assert.Equal(bytes, bench.Peer.ReceiveData(bytes.Length));
    }

    [Fact]
    public async Task Only_the_memory_handed_out_last_counts()
    {
        using SinkBench bench = new(TestRecords.Tls13);
        bench.Writer.GetSpan(50_000).Fill(0xEE);
        bench.Write([1, 2, 3]);
        bench.Writer.GetSpan(5).Fill(0xEE);
        bench.Write(TestRecords.Bytes(20_000, 7));
        await bench.Writer.FlushAsync().Within();
        Assert.Equal([1, 2, 3, .. TestRecords.Bytes(20_000, 7)], bench.Peer.ReceiveData(20_003));
    }

    [Fact]
    public async Task Advancing_beyond_the_memory_is_refused()
    {
        using SinkBench bench = new(TestRecords.Tls13);
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Writer.Advance(1));
        int room = bench.Writer.GetMemory(10).Length;
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Writer.Advance(room + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Writer.Advance(-1));
        Assert.Equal(0, bench.Writer.UnflushedBytes);
        bench.Write([9]);
        await bench.Writer.FlushAsync().Within();
        Assert.Equal([9], bench.Peer.ReceiveData(1));
    }

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task Control_records_go_ahead_of_data_not_yet_flushed_and_never_into_its_record(TlsVersion version)
    {
        using SinkBench bench = new(version == TlsVersion.Tls13 ? TestRecords.Tls13 : TestRecords.Tls12);
        bench.Write([1, 2]);
        bench.Sink.WriteControl(ContentType.Alert, [1, 100]);
        bench.Write([3]);
        Assert.Equal(ContentType.Alert, bench.Peer.Receive()!.Value.Type);
        Assert.True(bench.IsQuiet);
        await bench.Writer.FlushAsync().Within();
        Assert.Equal([1, 2, 3], bench.Peer.Receive()!.Value.Content);
    }

    [Fact]
    public async Task A_control_record_follows_the_records_that_a_large_write_has_finished()
    {
        using SinkBench bench = new(TestRecords.Tls13);
        byte[] bytes = TestRecords.Bytes(40_000, 8);
        bench.Write(bytes);
        bench.Sink.UpdateKeys(requestPeer: true);
        Assert.Equal(bytes[..32_768], bench.Peer.ReceiveData(32_768));
        Assert.Equal([24, 0, 0, 1, 1], bench.Peer.Receive()!.Value.Content);
        await bench.Writer.FlushAsync().Within();
        Assert.Equal(bytes[32_768..], bench.Peer.ReceiveData(7_232));
    }

    [Fact]
    public async Task A_worn_key_is_replaced_before_the_next_data()
    {
        using SinkBench bench = new(ShortLivedSuite.Create(updateKeysRecords: 3, closeRecords: 6));
        List<string> seen = [];
        for (byte i = 0; i < 8; i++)
        {
            bench.Write([i]);
            await bench.Writer.FlushAsync().Within();
        }

        for (int i = 0; i < 10; i++)
        {
            (ContentType type, byte[] content) = bench.Peer.Receive()!.Value;
            seen.Add(type == ContentType.Handshake ? "update" : $"{content[0]}");
        }

        Assert.Equal(["0", "1", "2", "update", "3", "4", "5", "update", "6", "7"], seen);
    }

    [Fact]
    public async Task A_key_that_may_protect_no_more_ends_the_direction_without_a_clean_close()
    {
        using SinkBench bench = new(ShortLivedSuite.Create(updateKeysRecords: 100, closeRecords: 2));
        for (int i = 0; i < 2; i++)
        {
            bench.Write([1]);
            Assert.False((await bench.Writer.FlushAsync().Within()).IsCompleted);
        }

        bench.Write([2]);
        Assert.True((await bench.Writer.FlushAsync().Within()).IsCompleted);
        Assert.Null(bench.Sink.End(AlertDescription.CloseNotify));
    }

    [Fact]
    public void The_direction_ends_once_with_the_alert_behind_what_was_flushed()
    {
        using SinkBench bench = new(TestRecords.Tls13);
        bench.Write([1]);
        _ = bench.Sink.Flush();
        bench.Write([2]);
        IPendingSend rest = bench.Sink.End(AlertDescription.CloseNotify)!;
        Assert.Null(bench.Sink.End(AlertDescription.InternalError));
        Assert.Equal(SendStatus.Sent, rest.Send());
        Assert.Equal(FlushStatus.Closed, bench.Sink.Flush());
        bench.Sink.WriteControl(ContentType.Alert, [1, 0]);
        bench.Sink.UpdateKeys(requestPeer: false);
        bench.Hang();
        (byte[] data, AlertDescription? alert, _) = bench.Peer.ReceiveAll();
        Assert.Equal([1], data);
        Assert.Equal(AlertDescription.CloseNotify, alert);
    }

    [Fact]
    public async Task A_peer_that_is_gone_closes_the_direction()
    {
        using SinkBench bench = new(TestRecords.Tls13);
        bench.Peer.Socket.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        bench.Peer.Socket.Dispose();
        await TestRecords.UntilAsync(
            () =>
            {
                bench.Write([1]);
                return bench.Sink.Flush() == FlushStatus.Closed;
            },
            "a flush learns of the reset");
    }
}
