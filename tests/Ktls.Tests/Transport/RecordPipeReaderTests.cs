using System.Buffers;
using System.IO.Pipelines;
using Aead.Pages;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>What a consumer reads, how far it advances, and how it takes a read back. How reading ends: <see cref="RecordPipeReaderEndTests"/>.</summary>
public class RecordPipeReaderTests
{
    [Theory]
    [InlineData(Delivery.Copy)]
    [InlineData(Delivery.Flip)]
    public async Task A_segment_survives_many_partial_advances(Delivery delivery)
    {
        using ReaderBench bench = new(delivery);
        bench.Arrive(10_000);
        for (int consumed = 0; consumed < 10_000; consumed += 4)
        {
            ReadResult result = await bench.Reader.ReadAsync().Within();
            Assert.Equal(10_000 - consumed, result.Buffer.Length);
            Assert.Equal(ReaderBench.ByteAt(consumed), result.Buffer.FirstSpan[0]);
            bench.Reader.AdvanceTo(result.Buffer.GetPosition(4));
        }

        Assert.Equal(0, bench.Pool.Status.CopyBytesInUse);
    }

    [Theory]
    [InlineData(Delivery.Copy)]
    [InlineData(Delivery.Flip)]
    public async Task Bytes_that_come_one_by_one_and_are_kept_do_not_pile_up(Delivery delivery)
    {
        using ReaderBench bench = new(delivery);
        const int Bytes = 2000;
        for (int i = 1; i <= Bytes; i++)
        {
            bench.Arrive(1);
            ReadResult result = await bench.Reader.ReadAsync().Within();
            Assert.Equal(i, result.Buffer.Length);
            Assert.Equal(ReaderBench.ByteAt(i - 1), result.Buffer.Slice(i - 1).FirstSpan[0]);
            bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);

            // Sixteen crumbs of the smallest block beside what was joined, which fills at least half of its own.
            Assert.InRange(bench.Pool.Status.CopyBytesInUse, 0, (18 * 512) + (2 * i));
        }
    }

    [Fact]
    public async Task The_end_of_one_segment_and_the_start_of_the_next_are_one_position()
    {
        using ReaderBench bench = new();
        ReadResult result = await ArriveTwoSegmentsAsync(bench);
        SequencePosition endOfFirst = new(result.Buffer.Start.GetObject(), 100);
        bench.Reader.AdvanceTo(endOfFirst, endOfFirst);
        result = await bench.Reader.ReadAsync().Within();
        Assert.Equal(50, result.Buffer.Length);
        Assert.Equal(ReaderBench.ByteAt(100), result.Buffer.FirstSpan[0]);

        // The examined position lies in the second segment's first byte: that is still the end of the first one, which is consumed.
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Assert.False(bench.Reader.TryRead(out _));
    }

    [Fact]
    public void An_empty_buffers_positions_mean_where_we_are()
    {
        using ReaderBench bench = new();
        bench.Reader.CancelPendingRead();
        Assert.True(bench.Reader.TryRead(out ReadResult empty));
        Assert.True(empty.IsCanceled && empty.Buffer.IsEmpty);
        bench.Arrive(10);
        bench.Reader.AdvanceTo(empty.Buffer.Start, empty.Buffer.End);
        bench.Reader.AdvanceTo(default, default);
        Assert.True(bench.Reader.TryRead(out ReadResult result));
        Assert.Equal(10, result.Buffer.Length);
    }

    [Fact]
    public async Task Positions_out_of_order_or_beyond_the_end_are_refused_and_change_nothing()
    {
        using ReaderBench bench = new();
        bench.Arrive(10);
        ReadResult result = await bench.Reader.ReadAsync().Within();
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Reader.AdvanceTo(result.Buffer.End, result.Buffer.Start));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => bench.Reader.AdvanceTo(new SequencePosition(result.Buffer.Start.GetObject(), 11)));
        Assert.Equal(10, (await bench.Reader.ReadAsync().Within()).Buffer.Length);
    }

    [Theory]
    [InlineData(Delivery.Copy)]
    [InlineData(Delivery.Flip)]
    [Trait("Claim", "I4")]
    public async Task A_position_that_was_given_back_is_refused_and_changes_nothing(Delivery delivery)
    {
        using ReaderBench bench = new(delivery);
        ReadResult result = await ArriveTwoSegmentsAsync(bench);
        SequencePosition given = result.Buffer.Start;
        SequencePosition kept = result.Buffer.GetPosition(120);
        bench.Reader.AdvanceTo(kept);
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Reader.AdvanceTo(given));
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Reader.AdvanceTo(new SequencePosition(kept.GetObject(), kept.GetInteger() - 1)));
        Assert.Equal(30, (await bench.Reader.ReadAsync().Within()).Buffer.Length);
    }

    [Fact]
    public async Task What_was_not_examined_makes_the_next_read_complete_at_once_and_what_was_makes_it_wait()
    {
        using ReaderBench bench = new();
        bench.Arrive(10);
        Assert.True(bench.Reader.TryRead(out ReadResult result));
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.GetPosition(9));
        Assert.True(bench.Reader.ReadAsync().AsTask().IsCompletedSuccessfully);
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Assert.False(bench.Reader.TryRead(out _));
        Task<ReadResult> pending = bench.Reader.ReadAsync().AsTask();
        Assert.False(pending.IsCompleted);
        bench.Arrive(1);
        result = await pending.Within();
        Assert.Equal(11, result.Buffer.Length);

        // A consumer may take back that it has seen everything.
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        bench.Reader.CancelPendingRead();
        Assert.True(bench.Reader.TryRead(out result) && result.IsCanceled);
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.Start);
        Assert.True(bench.Reader.TryRead(out result) && !result.IsCanceled);
    }

    [Fact]
    public async Task Only_one_read_may_be_pending()
    {
        using ReaderBench bench = new();
        Task<ReadResult> pending = bench.Reader.ReadAsync().AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await bench.Reader.ReadAsync());
        Assert.Throws<InvalidOperationException>(() => bench.Reader.TryRead(out _));
        bench.Arrive(1);
        Assert.Equal(1, (await pending.Within()).Buffer.Length);
    }

    [Fact]
    public async Task A_cancellation_with_nothing_pending_is_kept_for_one_read()
    {
        using ReaderBench bench = new();
        bench.Arrive(10);
        bench.Reader.CancelPendingRead();
        bench.Reader.CancelPendingRead();
        ReadResult result = await bench.Reader.ReadAsync().Within();
        Assert.True(result.IsCanceled);
        bench.Reader.AdvanceTo(result.Buffer.Start);
        result = await bench.Reader.ReadAsync().Within();
        Assert.False(result.IsCanceled);
        Assert.Equal(10, result.Buffer.Length);
    }

    [Fact]
    public async Task Cancelling_never_runs_the_consumer_on_the_cancellers_stack()
    {
        using ReaderBench bench = new();
        using CancellationTokenSource source = new();
        await AssertCompletesElsewhereAsync(bench.Reader.ReadAsync().AsTask(), bench.Reader.CancelPendingRead, result => Assert.True(result.IsCanceled));
        await Assert.ThrowsAsync<OperationCanceledException>(
            () => AssertCompletesElsewhereAsync(bench.Reader.ReadAsync(source.Token).AsTask(), source.Cancel, _ => { }));
        bench.Arrive(1);
        Assert.Equal(1, (await bench.Reader.ReadAsync().Within()).Buffer.Length);
    }

    [Fact]
    public async Task A_token_that_is_cancelled_already_takes_nothing()
    {
        using ReaderBench bench = new();
        bench.Arrive(1);
        await Assert.ThrowsAsync<TaskCanceledException>(() => bench.Reader.ReadAsync(new CancellationToken(true)).Within());
        Assert.Equal(1, (await bench.Reader.ReadAsync().Within()).Buffer.Length);
    }

    [Fact]
    public async Task A_late_cancellation_of_a_read_that_is_over_does_not_touch_the_next_one()
    {
        using ReaderBench bench = new();
        using CancellationTokenSource source = new();
        Task<ReadResult> first = bench.Reader.ReadAsync(source.Token).AsTask();
        bench.Arrive(1);
        ReadResult result = await first.Within();
        bench.Reader.AdvanceTo(result.Buffer.End);
        Task<ReadResult> second = bench.Reader.ReadAsync().AsTask();
        source.Cancel();
        Assert.False(second.IsCompleted);
        bench.Arrive(2);
        Assert.Equal(2, (await second.Within()).Buffer.Length);
    }

    [Fact]
    public async Task What_is_kept_for_long_gives_its_slot_back()
    {
        using ReaderBench bench = new(Delivery.Flip);
        bench.Arrive(16_384);
        int slots = bench.Pool.Status.SlotsInUse;
        ReadResult result = await bench.Reader.ReadAsync().Within();
        Assert.NotEqual(0, bench.Reader.HoldingSinceTick);
        bench.Reader.AdvanceTo(result.Buffer.GetPosition(16_000), result.Buffer.End);
        Assert.InRange(bench.Pool.Status.SlotsInUse, 0, slots);
        Assert.Equal(512, bench.Pool.Status.CopyBytesInUse);
        bench.Arrive(10);
        result = await bench.Reader.ReadAsync().Within();
        byte[] all = result.Buffer.ToArray();
        Assert.Equal(394, all.Length);
        Assert.All(Enumerable.Range(0, all.Length), i => Assert.Equal(ReaderBench.ByteAt(16_000 + i), all[i]));
        bench.Reader.AdvanceTo(result.Buffer.End);
        Assert.Equal(0, bench.Reader.HoldingSinceTick);
    }

    [Fact]
    public void A_read_without_a_scratch_is_posted_to_the_loop()
    {
        using ReaderBench bench = new(scratches: 0);
        Assert.False(bench.Reader.ReadAsync().AsTask().IsCompleted);
        Assert.Equal(1, bench.Posts);
    }

    [ThreadStatic]
    private static bool _isCancelling;

    private static async Task AssertCompletesElsewhereAsync(Task<ReadResult> pending, Action cancel, Action<ReadResult> check)
    {
        bool onCancellersStack = false;
        async Task ConsumeAsync()
        {
            try
            {
                check(await pending.ConfigureAwait(false));
            }
            finally
            {
                onCancellersStack = _isCancelling;
            }
        }

        Task consuming = ConsumeAsync();
        _isCancelling = true;
        cancel();
        _isCancelling = false;
        await consuming.Within();
        Assert.False(onCancellersStack);
    }

    private static async Task<ReadResult> ArriveTwoSegmentsAsync(ReaderBench bench)
    {
        bench.Arrive(100);
        ReadResult result = await bench.Reader.ReadAsync().Within();
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Task<ReadResult> pending = bench.Reader.ReadAsync().AsTask();
        bench.Arrive(50);
        result = await pending.Within();
        Assert.False(result.Buffer.IsSingleSegment);
        return result;
    }
}
