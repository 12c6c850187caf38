using System.IO.Pipelines;
using Aead.Pages;
using Aead.Records;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>How reading ends: by the peer, by the consumer, by the owner.</summary>
public class RecordPipeReaderEndTests
{
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
    public void Nothing_is_received_after_the_descriptor_was_given_away()
    {
        using ReaderBench bench = new();
        bench.Reader.Close();
        Assert.True(bench.Source.IsDisposed);
        bench.Reader.OnReadable(peerClosed: true);
        Assert.False(bench.Reader.TryRead(out _));
        Assert.Equal(0, bench.Source.Reads);
    }
}
