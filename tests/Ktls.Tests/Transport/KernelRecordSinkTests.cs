using Aead.Records;
using Ktls.Transport;
using TestKit.Records;
using Tmds.Linux;
using Xunit;

namespace Ktls.Tests.Transport;

public class KernelRecordSinkTests
{
    [Fact]
    public void One_flush_is_one_send_of_many_records()
    {
        using KernelSinkBench bench = new();
        byte[] bytes = TestRecords.Bytes(100_000, 1);
        Assert.Equal(FlushStatus.Completed, bench.Send(bytes));
        Assert.Equal("Send 100000", bench.Calls);
        Assert.Equal(bytes, bench.Kernel.SentData);
        Assert.Equal(0, bench.Sink.UnflushedBytes);
        Assert.Equal(FlushStatus.Completed, bench.Sink.Flush());
        Assert.Equal("Send 100000", bench.Calls);
    }

    [Fact]
    public void Only_what_was_advanced_over_is_sent()
    {
        using KernelSinkBench bench = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Sink.Advance(1));
        bench.Sink.GetMemory(50_000).Span.Fill(0xEE);
        bench.Write(1, 2, 3);
        bench.Sink.GetMemory(5).Span.Fill(0xEE);
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Sink.Advance(bench.Sink.GetMemory(1).Length + 1));
        bench.Send(TestRecords.Bytes(20_000, 7));
        Assert.Equal([1, 2, 3, .. TestRecords.Bytes(20_000, 7)], bench.Kernel.SentData);
    }

    [Fact]
    public void A_full_socket_costs_256_kib_of_queue_before_a_flush_waits()
    {
        using KernelSinkBench bench = new();
        bench.Kernel.MakeRoom(0);
        byte[] bytes = TestRecords.Bytes(16_384, 2);
        int written = 0;
        for (FlushStatus status = FlushStatus.Completed; status == FlushStatus.Completed; written += bytes.Length)
        {
            status = bench.Send(bytes);
        }

        Assert.InRange(written, GuardedRecordSink.QueuedBytesMax, GuardedRecordSink.QueuedBytesMax + (2 * bytes.Length));
        Assert.Equal(1, bench.Kernel.Calls.Count(call => call.StartsWith("Send ", StringComparison.Ordinal)));
        Assert.Equal(FlushStatus.Completed, bench.MakeRoom());
        Assert.Equal(written, bench.Kernel.SentData.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Control_records_go_before_all_data_the_kernel_has_not_taken(bool supportsRekey)
    {
        using KernelSinkBench bench = new(TestRecords.Tls12, supportsRekey);
        bench.Kernel.MakeRoom(1);
        bench.Send(1, 2, 3);
        bench.Write(4);
        bench.Sink.WriteControl(ContentType.Alert, [1, 100]);
        bench.MakeRoom();
        bench.Sink.Flush();
        Assert.Equal("1 Alert100 data(2) 4", bench.Records);
    }

    [Fact]
    public void A_key_update_goes_before_queued_data_and_its_keys_come_between()
    {
        using KernelSinkBench bench = new();
        bench.Kernel.MakeRoom(1);
        bench.Send(1, 2, 3);
        bench.Sink.UpdateKeys(requestPeer: false);
        Assert.Equal("Send 3", bench.Calls);
        bench.Kernel.Accept(5);
        bench.MakeRoom();
        Assert.Equal("Send 3, SendControl Handshake 1800000100, Install Transmit, Send 2", bench.Calls);
        Assert.Equal("1 update data(2)@1", bench.Records);
    }

    [Fact]
    public void A_key_update_that_finds_no_room_is_tried_first_at_every_chance_and_stays_one()
    {
        using KernelSinkBench bench = new();
        bench.Kernel.MakeRoom(4);
        bench.Sink.UpdateKeys(requestPeer: false);
        bench.Sink.UpdateKeys(requestPeer: true);
        bench.Sink.UpdateKeys(requestPeer: false);
        for (byte i = 0; i < 3; i++)
        {
            // There is room for data, and none of it may have it.
            bench.Send(i);
            bench.Sink.OnWritable();
        }

        Assert.Equal("", bench.Records);
        Assert.DoesNotContain("Install", bench.Calls, StringComparison.Ordinal);
        Assert.DoesNotContain("Send ", bench.Calls, StringComparison.Ordinal);
        bench.MakeRoom();
        Assert.Equal("update! data(3)@1", bench.Records);
    }

    [Fact]
    public void Keys_that_cannot_be_installed_end_the_direction()
    {
        using KernelSinkBench bench = new();
        bench.Kernel.RefuseInstall(LibC.ENOMEM);
        bench.Sink.UpdateKeys(requestPeer: false);
        Assert.Equal(FlushStatus.Closed, bench.Send(1));
        Assert.Equal("update", bench.Records);
        Assert.Null(bench.Sink.End(AlertDescription.CloseNotify));
        Assert.False(bench.HasKeys);
    }

    [Fact]
    public void A_kernel_without_rekey_says_so_and_refuses()
    {
        using KernelSinkBench bench = new(supportsRekey: false);
        Assert.False(bench.Sink.CanUpdateKeys);
        Assert.Throws<InvalidOperationException>(() => bench.Sink.UpdateKeys(requestPeer: false));
        bench.Send(1);
        Assert.Equal("1", bench.Records);
        using KernelSinkBench old = new(TestRecords.Tls12);
        Assert.False(old.Sink.CanUpdateKeys);
        using KernelSinkBench able = new();
        Assert.True(able.Sink.CanUpdateKeys);
    }

    [Fact]
    public void The_direction_ends_once_with_the_alert_behind_what_was_flushed()
    {
        using KernelSinkBench bench = new();
        bench.Kernel.MakeRoom(1);
        bench.Send(1, 2);
        bench.Sink.UpdateKeys(requestPeer: false);
        bench.Write(3);
        IPendingSend rest = bench.Sink.End(AlertDescription.CloseNotify)!;
        Assert.Null(bench.Sink.End(AlertDescription.InternalError));
        bench.Sink.Dispose();
        Assert.Equal(8, rest.QueuedBytes);
        Assert.Equal(SendStatus.Blocked, rest.Send());
        bench.Kernel.MakeRoom(6);
        Assert.Equal(SendStatus.Blocked, rest.Send());
        Assert.True(bench.HasKeys);
        bench.Kernel.MakeRoom(2);
        Assert.Equal(SendStatus.Sent, rest.Send());
        Assert.Equal("1 update 2@1 Alert0@1", bench.Records);
        Assert.Equal(0, rest.QueuedBytes);
        Assert.False(bench.HasKeys);
        rest.Clear();

        Assert.Equal(FlushStatus.Closed, bench.Send(4));
        Assert.Equal(FlushStatus.Closed, bench.Sink.OnWritable());
        bench.Sink.WriteControl(ContentType.Alert, [1, 0]);
        bench.Sink.UpdateKeys(requestPeer: false);
        Assert.Equal("1 update 2@1 Alert0@1", bench.Records);
    }

    [Fact]
    public void Dropping_everything_sends_nothing_and_twice_is_once()
    {
        KernelSinkBench bench = new();
        bench.Kernel.MakeRoom(0);
        bench.Send(1);
        IPendingSend rest = bench.Sink.End(null)!;
        bench.Kernel.MakeRoom(100);
        Assert.Equal(SendStatus.Sent, rest.Send());
        Assert.False(bench.HasKeys);
        bench.Dispose();
        bench.Dispose();
        Assert.Equal("", bench.Records);
    }

    [Fact]
    public void After_a_bad_record_the_alert_still_goes_out()
    {
        using KernelSinkBench bench = new();
        using Aead.Keys.DirectionKeys peers = TestRecords.Keys(TestRecords.Tls13, 2);
        bench.Kernel.Install(Ktls.Kernel.KernelDirection.Receive, peers);
        Assert.True(bench.Kernel.ArriveBad(1).ReadHidden(new byte[10]).BadRecord);
        bench.Send(7);
        Assert.Equal("", bench.Records);
        Assert.DoesNotContain(bench.Kernel.Calls, call => call.StartsWith("TakeError", StringComparison.Ordinal));
        Assert.True(bench.Kernel.ReadHidden(new byte[10]).BadRecord);
        IPendingSend rest = bench.Sink.End(AlertDescription.BadRecordMac)!;
        Assert.Equal(SendStatus.Sent, rest.Send());
        Assert.Equal("7 Alert20", bench.Records);
        Assert.Single(bench.Kernel.Calls, call => call.StartsWith("TakeError", StringComparison.Ordinal));
    }

    [Fact]
    public void An_error_that_is_told_once_is_left_to_the_reader()
    {
        using KernelSinkBench bench = new();
        bench.Kernel.ArriveTooLong();
        Assert.Equal(FlushStatus.Completed, bench.Send(7));
        Assert.True(bench.Kernel.ReadHidden(new byte[10]).RecordTooLong);
        IPendingSend rest = bench.Sink.End(AlertDescription.RecordOverflow)!;
        Assert.Equal(SendStatus.Sent, rest.Send());
        Assert.Equal("7 Alert22", bench.Records);
    }

    [Fact]
    public void A_peer_that_is_gone_closes_the_direction()
    {
        using KernelSinkBench bench = new();
        bench.Kernel.Reset();
        Assert.Equal(FlushStatus.Closed, bench.Send(1));
        Assert.Null(bench.Sink.End(AlertDescription.CloseNotify));
        Assert.False(bench.HasKeys);
    }

    [Fact]
    public void A_worn_key_is_replaced_before_the_next_data()
    {
        using KernelSinkBench bench = new(ShortLivedSuite.Create(updateKeysRecords: 3, closeRecords: 6));
        for (byte i = 0; i < 8; i++)
        {
            bench.Send(i);
        }

        Assert.Equal("0 1 2 update 3@1 4@1 5@1 update@1 6@2 7@2", bench.Records);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Claim", "C10")]
    public void A_key_that_may_protect_no_more_ends_the_direction_without_a_clean_close(bool canUpdate)
    {
        // With rekey: the limit is met before the update is.
        using KernelSinkBench bench = new(ShortLivedSuite.Create(updateKeysRecords: canUpdate ? 100UL : 1, closeRecords: 3), canUpdate);
        for (byte i = 0; i < 3; i++)
        {
            Assert.Equal(FlushStatus.Completed, bench.Send(i));
        }

        Assert.Equal(FlushStatus.Closed, bench.Send(3));
        Assert.Equal("0 1 2", bench.Records);
        Assert.Null(bench.Sink.End(AlertDescription.CloseNotify));
    }

    [Fact]
    public void A_direction_at_its_limit_with_nothing_left_to_say_still_ends_cleanly()
    {
        using KernelSinkBench bench = new(ShortLivedSuite.Create(updateKeysRecords: 100, closeRecords: 1));
        bench.Send(1);
        Assert.Equal(SendStatus.Sent, bench.Sink.End(AlertDescription.CloseNotify)!.Send());
        Assert.Equal("1 Alert0", bench.Records);
    }

    [Fact]
    public void One_large_send_stays_within_the_limit()
    {
        using KernelSinkBench bench = new(ShortLivedSuite.Create(updateKeysRecords: 100, closeRecords: 6));
        Assert.Equal(FlushStatus.Closed, bench.Send(TestRecords.Bytes(200_000, 1)));
        Assert.InRange(bench.Kernel.Sent.Count, 5, 6);
    }

    [Fact]
    public void The_kernel_is_asked_for_its_number_only_near_a_limit()
    {
        using KernelSinkBench bench = new(ShortLivedSuite.Create(updateKeysRecords: 20, closeRecords: 100));
        for (int i = 0; i < 9; i++)
        {
            bench.Send(1);
        }

        Assert.DoesNotContain("ReadSequenceNumber", bench.Calls, StringComparison.Ordinal);
        for (int i = 0; i < 12; i++)
        {
            bench.Send(1);
        }

        Assert.InRange(bench.Kernel.Calls.Count(call => call.StartsWith("ReadSequenceNumber", StringComparison.Ordinal)), 1, 8);
        Assert.Equal(20, bench.Kernel.Sent.Count(record => record.KeyGeneration == 0 && record.IsData));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5000)]
    [InlineData(150_000)]
    public void No_plaintext_is_left_in_a_block_that_goes_back(int length)
    {
        byte[] bytes = TestRecords.Bytes(length, 4);

        // Sent, then dropped behind a full socket, then never flushed.
        foreach ((bool room, bool flushed) in new[] { (true, true), (false, true), (false, false) })
        {
            KernelSinkBench bench = new();
            List<OutgoingBlock> blocks = [.. new[] { false, true, false, true, true, true }.Select(bench.Blocks.Rent)];
            blocks.ForEach(block => block.Buffer.AsSpan().Clear());
            blocks.ForEach(block => block.Release());
            bench.Kernel.MakeRoom(room ? long.MaxValue : 0);
            bench.Write(bytes);
            Assert.Contains(blocks, block => block.Buffer.AsSpan().ContainsAnyExcept((byte)0));
            if (flushed)
            {
                bench.Sink.Flush();
            }

            bench.Dispose();
            Assert.DoesNotContain(blocks, block => block.Buffer.AsSpan().ContainsAnyExcept((byte)0));
        }
    }
}
