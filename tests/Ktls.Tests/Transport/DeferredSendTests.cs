using System.IO.Pipelines;
using Aead.Records;
using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>Flushes that leave their sends to the loop, several to one.</summary>
public sealed class DeferredSendTests : IDisposable
{
    private readonly Owner _owner = new();
    private readonly SinkBench _bench;
    private readonly RecordPipeWriter _writer;

    public DeferredSendTests()
    {
        _bench = new SinkBench(TestRecords.Tls13, peerReceiveBuffer: 8192);
        _writer = new RecordPipeWriter(_bench.Sink, _owner);
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_flush_sends_at_once_when_the_loop_is_not_busy()
    {
        _owner.IsLoopBusy = false;
        await FlushAsync("now");
        Assert.Equal("now"u8.ToArray(), _bench.Peer.ReceiveData(3));
        Assert.Equal(0, _owner.Posts);
    }

    [Fact]
    public async Task Flushes_of_a_busy_turn_are_posted_once_and_go_together_and_in_order()
    {
        await FlushAsync("one ");
        await FlushAsync("two ");
        await FlushAsync("three");
        Assert.Equal(1, _owner.Posts);
        _writer.OnPosted();
        Assert.Equal("one two three"u8.ToArray(), _bench.Peer.ReceiveData(13));
        Assert.Equal(0, _bench.Sink.UnflushedBytes);
        await FlushAsync("four");
        Assert.Equal(2, _owner.Posts);
        _writer.OnPosted();
        Assert.Equal("four"u8.ToArray(), _bench.Peer.ReceiveData(4));
    }

    [Fact]
    public async Task Nothing_goes_before_the_loop_comes_to_it_and_a_post_without_a_flush_sends_nothing()
    {
        _writer.OnPosted();
        await FlushAsync("sealed");
        Assert.True(_bench.IsQuiet);
        _writer.OnPosted();
        Assert.Equal("sealed"u8.ToArray(), _bench.Peer.ReceiveData(6));
    }

    [Fact]
    public async Task A_full_queue_makes_the_flush_wait_and_the_posted_send_ends_the_wait()
    {
        byte[] bytes = TestRecords.Bytes(16_384, 5);
        Task<FlushResult> flush = Task.FromResult(default(FlushResult));
        int written = 0;
        for (; flush.IsCompleted; written += bytes.Length)
        {
            Assert.InRange(written, 0, GuardedRecordSink.QueuedBytesMax);
            bytes.CopyTo(_writer.GetSpan(bytes.Length));
            _writer.Advance(bytes.Length);
            flush = _writer.FlushAsync().AsTask();
        }

        Task<byte[]> reading = Task.Run(() => _bench.Peer.ReceiveData(written));
        _writer.OnPosted();
        while (!reading.IsCompleted)
        {
            _writer.OnWritable();
            await Task.Delay(1);
        }

        Assert.False((await flush.Within()).IsCompleted);
        Assert.True((await reading).AsSpan(written - bytes.Length).SequenceEqual(bytes));
    }

    [Fact]
    public async Task What_is_sealed_goes_out_before_the_closing_alert()
    {
        await FlushAsync("last");
        IPendingSend? rest = _bench.Sink.End(AlertDescription.CloseNotify);
        Assert.NotNull(rest);
        Assert.Equal(SendStatus.Sent, rest.Send());
        Assert.Equal("last"u8.ToArray(), _bench.Peer.ReceiveData(4));
        _writer.OnPosted();
    }

    [Fact]
    public async Task What_is_left_when_the_direction_is_dropped_is_given_back()
    {
        await FlushAsync("never sent");
        IPendingSend? rest = _bench.Sink.End(null);
        Assert.Equal(0, rest!.QueuedBytes);
        _writer.OnPosted();
        _writer.GetMemory(1).Span[0] = 1;
        _writer.Advance(1);
        Assert.True((await _writer.FlushAsync().Within()).IsCompleted);
    }

    private async Task FlushAsync(string text)
    {
        int length = System.Text.Encoding.ASCII.GetBytes(text, _writer.GetSpan(text.Length));
        _writer.Advance(length);
        Assert.False((await _writer.FlushAsync().Within()).IsCompleted);
    }

    private sealed class Owner : IWriterOwner
    {
        public bool IsLoopBusy { get; set; } = true;

        public int Posts { get; private set; }

        public void PostSend() => Posts++;
    }
}
