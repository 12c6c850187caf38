using System.IO.Pipelines;
using Aead;
using Aead.Algorithms;
using Aead.Records;
using Ktls.Kernel;
using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.Transport;

public class RecordIntakeTests
{
    [Fact]
    public void A_requested_key_update_is_answered_before_the_data_behind_it_is_shown()
    {
        using ReaderBench bench = new();
        bench.Source.Deliver(ContentType.Handshake, KeyUpdate(1));
        bench.Arrive(10);
        Assert.True(bench.Reader.TryRead(out ReadResult result));
        Assert.Equal(10, result.Buffer.Length);
        Assert.Equal(1, bench.Source.KeyUpdates);
        Assert.Equal(["KeyUpdate"], bench.Sink.Controls);
    }

    [Fact]
    public void A_key_update_that_asks_for_nothing_gets_no_answer()
    {
        using ReaderBench bench = new();
        bench.Source.Deliver(ContentType.Handshake, KeyUpdate(0));
        Assert.False(bench.Reader.TryRead(out _));
        Assert.Equal(1, bench.Source.KeyUpdates);
        Assert.Empty(bench.Sink.Controls);
    }

    [Fact]
    public async Task A_flood_of_key_updates_is_refused()
    {
        using ReaderBench bench = new();
        for (int i = 0; i < 100; i++)
        {
            bench.Source.Deliver(ContentType.Handshake, KeyUpdate(1));
        }

        await Assert.ThrowsAnyAsync<IOException>(() => bench.Reader.ReadAsync().Within());
        Assert.Equal(AlertDescription.UnexpectedMessage, Assert.Single(bench.Ends).Alert);
        Assert.InRange(bench.Source.KeyUpdates, 1, 50);
    }

    [Fact]
    public void A_renegotiation_in_tls12_is_declined_with_a_warning_and_the_connection_goes_on()
    {
        using ReaderBench bench = new(version: TlsVersion.Tls12);
        bench.Source.Deliver(ContentType.Handshake, 1, 0, 0, 0);
        bench.Arrive(10);
        Assert.True(bench.Reader.TryRead(out _));
        Assert.Equal(["Alert 0164"], bench.Sink.Controls);
        Assert.Empty(bench.Ends);
    }

    [Fact]
    public void A_peers_worn_key_is_renewed_by_asking_for_it_once()
    {
        using ReaderBench bench = new();
        bench.Source.Usage = UsageAction.UpdateKeys;
        bench.Arrive(10);
        Assert.True(bench.Reader.TryRead(out ReadResult result));
        bench.Reader.AdvanceTo(result.Buffer.End);
        bench.Arrive(10);
        Assert.True(bench.Reader.TryRead(out _));
        Assert.Equal(["KeyUpdate, requested"], bench.Sink.Controls);
    }

    [Fact]
    public async Task A_fatal_alert_of_the_peer_ends_reading_with_its_name()
    {
        using ReaderBench bench = new();
        bench.Source.Deliver(ContentType.Alert, 2, (byte)AlertDescription.BadCertificate);
        IOException failure = await Assert.ThrowsAnyAsync<IOException>(() => bench.Reader.ReadAsync().Within());
        Assert.Contains(nameof(AlertDescription.BadCertificate), failure.Message, StringComparison.Ordinal);
        Assert.Equal(ReadEndKind.PeerAborted, Assert.Single(bench.Ends).Kind);
    }

    [Fact]
    public void Nothing_is_read_behind_close_notify()
    {
        using ReaderBench bench = new();
        bench.Source.Deliver(ContentType.Alert, 1, 0);
        bench.Source.Reject(AlertDescription.BadRecordMac);
        Assert.True(bench.Reader.TryRead(out ReadResult result) && result.IsCompleted);
        Assert.True(bench.Reader.TryRead(out result) && result.IsCompleted);
        Assert.Equal(1, bench.Source.Reads);
        Assert.Equal(ReadEndKind.Clean, Assert.Single(bench.Ends).Kind);
    }

    [Fact]
    [Trait("Claim", "C4")]
    public void A_consumer_that_lets_a_megabyte_pile_up_is_given_up()
    {
        using ReaderBench bench = new();
        for (int i = 0; i < 70; i++)
        {
            bench.Deliver(16_384);
        }

        Assert.ThrowsAny<IOException>(() =>
        {
            bench.Reader.OnReadable(peerClosed: false);
            while (bench.Reader.TryRead(out ReadResult result))
            {
                bench.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        });
        Assert.Equal(AlertDescription.InternalError, Assert.Single(bench.Ends).Alert);
    }

    [Theory]
    [InlineData(false, true, false)]
    [InlineData(true, false, true)]
    [InlineData(true, true, true)]
    public void An_error_of_the_socket_is_not_the_FIN_that_a_lingering_close_waits_for(bool peerClosed, bool hasError, bool expected)
    {
        using ReaderBench bench = new();
        bench.Intake.MarkReadable(peerClosed, hasError);
        _ = bench.Intake.Unread;
        Assert.Equal(expected, bench.Source.UnreadBehindFin);
    }

    [Fact]
    public async Task One_turn_of_the_loop_reads_a_megabyte_and_leaves_the_rest_to_the_next()
    {
        using ReaderBench bench = new();
        bench.Deliver([.. Enumerable.Repeat(16_384, 100)]);
        TaskCompletionSource<long> turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.Loop.Start();
        bench.Loop.Post(new Turn(() => turn.SetResult(ConsumeWithoutWaiting(bench.Reader))));
        Assert.Equal(1 << 20, await turn.Task.Within());
        Assert.Equal(1, bench.Posts);
    }

    private static long ConsumeWithoutWaiting(RecordPipeReader reader)
    {
        long consumed = 0;
        while (true)
        {
            Task<ReadResult> read = reader.ReadAsync().AsTask();
            if (!read.IsCompletedSuccessfully)
            {
                _ = read.ContinueWith(ended => ended.Exception, TaskScheduler.Default);
                return consumed;
            }

            consumed += read.Result.Buffer.Length;
            reader.AdvanceTo(read.Result.Buffer.End);
        }
    }

    private sealed class Turn(Action action) : LoopSocket(null!, 0, 0)
    {
        public override void OnReady(in ReadyEvent ready) => throw new InvalidOperationException("Nothing is watched.");

        public override void OnDeadline() => throw new InvalidOperationException("Nothing is due.");

        public override void OnFault(Exception fault) => throw new InvalidOperationException("The turn failed.", fault);

        public override void OnPosted() => action();
    }

    private static byte[] KeyUpdate(byte request) => [24, 0, 0, 1, request];
}
