using System.Buffers;
using System.IO.Pipelines;
using Aead.Pages;
using Aead.Records;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Ktls.Tests.Transport;

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
    public async Task Close_notify_completes_also_a_read_that_has_examined_everything()
    {
        using ReaderBench bench = new();
        bench.Arrive(10);
        ReadResult result = await bench.Reader.ReadAsync().Within();
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Task<ReadResult> pending = bench.Reader.ReadAsync().AsTask();
        bench.Source.Deliver(ContentType.Alert, 1, 0);
        bench.Reader.OnReadable(peerClosed: false);
        result = await pending.Within();
        Assert.True(result.IsCompleted);
        Assert.Equal(10, result.Buffer.Length);
        bench.Reader.AdvanceTo(result.Buffer.End);
        result = await bench.Reader.ReadAsync().Within();
        Assert.True(result.IsCompleted && result.Buffer.IsEmpty);
        Assert.Equal(ReadEndKind.Clean, Assert.Single(bench.Ends).Kind);
        Assert.Equal(0, bench.PeerGone);
    }

    /// <summary>
    /// Kestrel takes a completed read of a body for one that brought nothing: it would refuse the body and then read it as the next request.
    /// </summary>
    [Fact]
    [Trait("Claim", "C11")]
    public async Task The_last_bytes_come_before_the_completion_and_never_with_it()
    {
        using ReaderBench bench = new();
        bench.Source.CloseBehind(bench.Next(10));
        bench.Reader.OnReadable(peerClosed: false);
        ReadResult result = await bench.Reader.ReadAsync().Within();
        Assert.Equal((10, false), (result.Buffer.Length, result.IsCompleted));
        bench.Reader.AdvanceTo(result.Buffer.GetPosition(4));
        result = await bench.Reader.ReadAsync().Within();
        Assert.Equal((6, false), (result.Buffer.Length, result.IsCompleted));
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        result = await bench.Reader.ReadAsync().Within();
        Assert.Equal((6, true), (result.Buffer.Length, result.IsCompleted));
    }

    [Fact]
    [Trait("Claim", "C2")]
    public async Task A_fin_without_close_notify_is_an_error_and_never_a_completion()
    {
        using ReaderBench bench = new();
        bench.Deliver(10);
        bench.Source.Finish();
        bench.Reader.OnReadable(peerClosed: true);
        ReadResult result = await bench.Reader.ReadAsync().Within();
        Assert.False(result.IsCompleted);
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        await Assert.ThrowsAsync<ConnectionResetException>(() => bench.Reader.ReadAsync().Within());
        Assert.Throws<ConnectionResetException>(() => bench.Reader.TryRead(out _));
        Assert.Equal(ReadEndKind.Truncated, Assert.Single(bench.Ends).Kind);
        Assert.Equal(0, bench.PeerGone);
    }

    [Fact]
    public async Task What_verified_comes_before_the_refusal_of_what_did_not()
    {
        using ReaderBench bench = new();
        bench.Source.Reject(AlertDescription.BadRecordMac, before: bench.Next(100));
        bench.Reader.OnReadable(peerClosed: false);
        ReadResult result = await bench.Reader.ReadAsync().Within();
        Assert.Equal(100, result.Buffer.Length);
        Assert.False(result.IsCompleted);

        // The peer is told at once, whenever the consumer gets there.
        Assert.Equal(AlertDescription.BadRecordMac, Assert.Single(bench.Ends).Alert);
        bench.Reader.AdvanceTo(result.Buffer.End);
        await Assert.ThrowsAsync<ConnectionResetException>(() => bench.Reader.ReadAsync().Within());
    }

    [Fact]
    public async Task A_fin_that_came_with_the_last_data_is_found_without_another_event()
    {
        using ReaderBench bench = new();
        bench.Source.DrainsEachTime = true;
        bench.Deliver(10);
        bench.Source.Deliver(ContentType.Alert, 1, 0);
        bench.Reader.OnReadable(peerClosed: true);
        ReadResult result = await bench.Reader.ReadAsync().Within();
        bench.Reader.AdvanceTo(result.Buffer.End);
        Assert.True((await bench.Reader.ReadAsync().Within()).IsCompleted);
        Assert.Equal(1, bench.PeerGone);
    }

    [Fact]
    public void A_socket_that_says_it_is_closed_and_has_nothing_is_left_alone_after_a_second_look()
    {
        using ReaderBench bench = new();
        bench.Reader.OnReadable(peerClosed: true);
        Assert.Equal(2, bench.Source.Reads);
        Assert.Empty(bench.Ends);
    }

    /// <summary>kTLS tells once that a header is none; a send that hears it must not leave a connection without an end, nor a loop without one.</summary>
    [Fact]
    public void An_error_that_somebody_else_has_heard_ends_the_direction()
    {
        using ReaderBench bench = new();
        bench.Reader.OnReadable(peerClosed: false, hasError: true);
        ReadEnd end = Assert.Single(bench.Ends);
        Assert.Equal((ReadEndKind.Refused, AlertDescription.DecodeError), (end.Kind, end.Alert));
        Assert.Equal(2, bench.Source.Reads);
    }

    [Fact]
    public void A_fin_is_noticed_while_nobody_reads()
    {
        using ReaderBench bench = new();
        bench.Source.Deliver(ContentType.Alert, 1, 0);
        bench.Reader.OnReadable(peerClosed: true);
        bench.Reader.OnReadable(peerClosed: true);
        Assert.Equal(1, bench.PeerGone);
    }

    [Fact]
    public async Task A_broken_socket_fails_the_pending_read()
    {
        using ReaderBench bench = new();
        Task<ReadResult> pending = bench.Reader.ReadAsync().AsTask();
        bench.Source.Break();
        bench.Reader.OnReadable(peerClosed: true);
        ConnectionResetException failure = await Assert.ThrowsAsync<ConnectionResetException>(() => pending.Within());
        Assert.Contains("ECONNRESET", failure.Message, StringComparison.Ordinal);
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

    [Theory]
    [InlineData(Delivery.Copy)]
    [InlineData(Delivery.Flip)]
    public void Completing_gives_buffered_bytes_back_and_may_be_repeated(Delivery delivery)
    {
        using ReaderBench bench = new(delivery);
        int slots = bench.Pool.Status.SlotsInUse;
        bench.Arrive(16_384);
        Assert.True(bench.Reader.TryRead(out _));
        bench.Reader.Complete();
        bench.Reader.Complete(new IOException("twice"));
        bench.Reader.AdvanceTo(default);
        Assert.Equal(0, bench.Pool.Status.CopyBytesInUse);
        Assert.InRange(bench.Pool.Status.SlotsInUse, slots, slots + 1);
        Assert.Throws<InvalidOperationException>(() => bench.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Completing_while_a_read_is_pending_fails_it_and_does_not_leave_it_hanging()
    {
        using ReaderBench bench = new();
        Task<ReadResult> pending = bench.Reader.ReadAsync().AsTask();
        bench.Reader.Complete();
        await Assert.ThrowsAsync<InvalidOperationException>(() => pending.Within());
    }

    [Fact]
    public async Task An_end_from_outside_fails_a_pending_read_and_gives_back_what_its_consumer_left()
    {
        using ReaderBench bench = new();
        bench.Arrive(100);
        ReadResult result = await bench.Reader.ReadAsync().Within();
        bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Task<ReadResult> pending = bench.Reader.ReadAsync().AsTask();
        bench.Reader.End(new ReadEnd(ReadEndKind.Aborted, default, "given up"));
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => pending.Within());
        Assert.Equal(0, bench.Pool.Status.CopyBytesInUse);
        Assert.Empty(bench.Ends);
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

    [Fact]
    public void Nothing_is_received_after_the_descriptor_was_given_away()
    {
        using ReaderBench bench = new();
        bench.Reader.Close();
        Assert.True(bench.Source.IsDisposed);
        bench.Reader.OnReadable(peerClosed: true);
        Assert.False(bench.Reader.TryRead(out _));
        Assert.Equal(0, bench.Source.Reads);
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
