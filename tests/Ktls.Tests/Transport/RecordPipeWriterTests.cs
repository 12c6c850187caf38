using System.IO.Pipelines;
using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.Transport;

public sealed class RecordPipeWriterTests : IDisposable
{
    private readonly FakeRecordSink _sink = new();
    private readonly RecordPipeWriter _writer;

    public RecordPipeWriterTests() => _writer = new RecordPipeWriter(_sink);

    public void Dispose() => _sink.Dispose();

    [Fact]
    public async Task A_flush_with_room_left_completes_at_once_and_one_without_waits_for_the_socket()
    {
        Assert.True(_writer.FlushAsync().AsTask().IsCompletedSuccessfully);
        _sink.Status = FlushStatus.Full;
        Task<FlushResult> flush = _writer.FlushAsync().AsTask();
        _writer.OnWritable();
        Assert.False(flush.IsCompleted);
        _sink.Status = FlushStatus.Completed;
        _writer.OnWritable();
        FlushResult result = await flush.Within();
        Assert.False(result.IsCanceled || result.IsCompleted);
    }

    [Fact]
    public async Task A_second_flush_while_one_waits_is_a_mistake_and_leaves_the_first_alone()
    {
        _sink.Status = FlushStatus.Full;
        Task<FlushResult> first = _writer.FlushAsync().AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await _writer.FlushAsync());
        _sink.Status = FlushStatus.Completed;
        _writer.OnWritable();
        Assert.False((await first.Within()).IsCanceled);
    }

    [Fact]
    public async Task Cancelling_ends_the_waiting_flush_or_else_the_next_one()
    {
        _sink.Status = FlushStatus.Full;
        Task<FlushResult> flush = _writer.FlushAsync().AsTask();
        _writer.CancelPendingFlush();
        Assert.True((await flush.Within()).IsCanceled);
        _sink.Status = FlushStatus.Completed;
        Assert.False((await _writer.FlushAsync().Within()).IsCanceled);
        _writer.CancelPendingFlush();
        Assert.True((await _writer.FlushAsync().Within()).IsCanceled);
        Assert.False((await _writer.FlushAsync().Within()).IsCanceled);
    }

    [Fact]
    public async Task A_token_ends_the_waiting_flush_and_no_later_one()
    {
        using CancellationTokenSource source = new();
        _sink.Status = FlushStatus.Full;
        Task<FlushResult> first = _writer.FlushAsync(source.Token).AsTask();
        source.Cancel();
        await Assert.ThrowsAsync<OperationCanceledException>(() => first.Within());
        await Assert.ThrowsAsync<TaskCanceledException>(() => _writer.FlushAsync(source.Token).Within());
        Task<FlushResult> second = _writer.FlushAsync().AsTask();
        Assert.False(second.IsCompleted);
        _writer.OnEnded();
        Assert.True((await second.Within()).IsCompleted);
    }

    [Fact]
    public async Task A_closed_direction_completes_every_flush()
    {
        _sink.Status = FlushStatus.Full;
        Task<FlushResult> waiting = _writer.FlushAsync().AsTask();
        _sink.Status = FlushStatus.Closed;
        _writer.OnWritable();
        Assert.True((await waiting.Within()).IsCompleted);
        Assert.True((await _writer.FlushAsync().Within()).IsCompleted);
    }

    [Fact]
    public void Completing_pushes_what_was_written_unless_it_failed()
    {
        _writer.GetMemory(10);
        _writer.Advance(10);
        Assert.True(_writer.CanGetUnflushedBytes);
        Assert.Equal(10, _writer.UnflushedBytes);
        _writer.Complete();
        _writer.Complete(new IOException("too late to fail"));
        Assert.Equal(1, _sink.Flushes);
        Assert.False(_writer.Failed);
        Assert.Throws<ObjectDisposedException>(() => _writer.GetMemory());

        using FakeRecordSink other = new();
        RecordPipeWriter failing = new(other);
        failing.Complete(new IOException("the response is incomplete"));
        Assert.True(failing.Failed);
        Assert.Equal(0, other.Flushes);
    }
}
