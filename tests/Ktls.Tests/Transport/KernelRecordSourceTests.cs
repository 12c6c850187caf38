using System.Text;
using Aead.Algorithms;
using Aead.Pages;
using Aead.Records;
using FsCheck;
using Ktls.Tests.Kernel;
using Ktls.Transport;
using TestKit;
using TestKit.Pages;
using TestKit.Records;
using Xunit;

namespace Ktls.Tests.Transport;

[Trait("Claim", "I1")]
public sealed class KernelRecordSourceTests
{
    public static TheoryData<string, bool> Ways() => new()
    {
        { "TLS 1.2", true },
        { "TLS 1.3", true },
        { "TLS 1.3", false },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void Many_records_are_one_read(string version, bool hides)
    {
        using KernelSourceBench bench = Bench(version, hides);
        bench.Kernel.Arrive(FakeRecord.Data("ab"), FakeRecord.Data("cd"), FakeRecord.Data("ef"));
        ReadOutcome outcome = bench.Read();
        using (ExposedPages data = outcome.Data!)
        {
            Assert.Equal("abcdef", Encoding.UTF8.GetString(data.GetSpan()));
            Assert.Equal(hides, data.HoldsSlot);
        }

        Assert.False(outcome.Drained);
        Assert.True(bench.Read().Drained);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_control_record_comes_behind_the_data_before_it_and_before_the_data_behind_it(string version, bool hides)
    {
        using KernelSourceBench bench = Bench(version, hides);
        bench.Kernel.Arrive(FakeRecord.Data("ab"), FakeRecord.Alert(AlertDescription.CloseNotify), FakeRecord.Data("cd"));
        (byte[] before, ReadOutcome control) = bench.ReadAll();
        Assert.Equal("ab"u8.ToArray(), before);
        Assert.Equal((ReadStatus.Control, ContentType.Alert), (control.Status, control.ControlType));
        Assert.Equal([1, 0], control.Control.ToArray());
        Assert.Equal("cd"u8.ToArray(), bench.ReadAll().Data);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_bad_record_rejects_for_good_and_nothing_of_it_is_seen(string version, bool hides)
    {
        using KernelSourceBench bench = Bench(version, hides);
        bench.Kernel.Arrive(FakeRecord.Data("good")).ArriveBad(TestRecords.Bytes(5000, 7)).Arrive(FakeRecord.Data("later"));
        (byte[] data, ReadOutcome last) = bench.ReadAll();
        Assert.Equal("good"u8.ToArray(), data);
        Assert.Equal((ReadStatus.Rejected, AlertDescription.BadRecordMac), (last.Status, last.Alert));
        Assert.Equal(ReadStatus.Rejected, bench.Read().Status);
        Assert.Equal(-1, bench.Scratch.AsSpan().IndexOf(TestRecords.Bytes(5000, 7).AsSpan(0, 16)));
    }

    [Fact]
    [Trait("Claim", "I3")]
    public void What_a_bad_record_leaves_behind_a_good_one_is_zero_before_anything_is_exposed()
    {
        using KernelSourceBench bench = Bench("TLS 1.2", hides: true);
        bench.Kernel.Arrive(FakeRecord.Data("good")).ArriveBad(TestRecords.Bytes(5000, 7));
        bool leaked = false;
        bench.Ring.Zeroing = (address, bytes) => leaked |= bench.Ring.Peek(address, bytes).AsSpan().IndexOfAnyExcept((byte)0) >= 0;
        using ExposedPages data = bench.Read().Data!;
        Assert.True(leaked, "The fake kernel left nothing to zero, so this shows nothing.");
        using System.Buffers.MemoryHandle pin = data.Pin();
        byte[] page = PageProbe.Read(AddressOf(data), PinnedPages.SlotBytes)!;
        Assert.Equal("good"u8.ToArray(), page[..4]);
        Assert.Equal(-1, page.AsSpan(4).IndexOfAnyExcept((byte)0));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Headers_that_cannot_be_are_rejected_and_remembered(string version, bool hides)
    {
        using (KernelSourceBench bench = Bench(version, hides))
        {
            bench.Kernel.ArriveTooLong();
            Assert.Equal(AlertDescription.RecordOverflow, bench.Read().Alert);
            Assert.Equal((ReadStatus.Rejected, AlertDescription.RecordOverflow), (bench.Read().Status, bench.Read().Alert));
        }

        using (KernelSourceBench bench = Bench(version, hides))
        {
            bench.Kernel.ArriveWrongVersion();
            Assert.Equal(AlertDescription.ProtocolVersion, bench.Read().Alert);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    [Trait("Claim", "C2")]
    public void Fin_and_reset_are_told_apart(string version, bool hides)
    {
        using (KernelSourceBench bench = Bench(version, hides))
        {
            bench.Kernel.Arrive(FakeRecord.Data("ab")).Fin();
            (byte[] data, ReadOutcome last) = bench.ReadAll();
            Assert.Equal("ab"u8.ToArray(), data);
            Assert.Equal(ReadStatus.EndOfStream, last.Status);
        }

        using (KernelSourceBench bench = Bench(version, hides))
        {
            bench.Kernel.Reset();
            ReadOutcome last = bench.Read();
            Assert.Equal(ReadStatus.Broken, last.Status);
            Assert.Contains("ECONNRESET", last.Failure, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    [Trait("Claim", "C2")]
    public void Empty_data_in_front_of_a_control_record_is_no_end(string version, bool hides)
    {
        using KernelSourceBench bench = Bench(version, hides);
        bench.Kernel.Arrive(FakeRecord.Empty(ContentType.ApplicationData), FakeRecord.Alert(AlertDescription.CloseNotify)).Fin();
        ReadOutcome outcome = bench.ReadAll().Last;
        Assert.Equal((ReadStatus.Control, ContentType.Alert), (outcome.Status, outcome.ControlType));
        Assert.Equal(ReadStatus.EndOfStream, bench.Read().Status);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Empty_records_of_data_are_skipped_and_of_another_type_rejected(string version, bool hides)
    {
        using KernelSourceBench bench = Bench(version, hides);
        bench.Kernel.Arrive(FakeRecord.Empty(ContentType.ApplicationData), FakeRecord.Data("ab"), FakeRecord.Empty(ContentType.Handshake));
        (byte[] data, ReadOutcome last) = bench.ReadAll();
        Assert.Equal("ab"u8.ToArray(), data);
        Assert.Equal((ReadStatus.Rejected, AlertDescription.UnexpectedMessage), (last.Status, last.Alert));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Endless_empty_records_are_refused_and_endless_half_records_are_not(string version, bool hides)
    {
        using KernelSourceBench patient = Bench(version, hides);
        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal(ReadStatus.Data, patient.Read().Status);
        }

        using KernelSourceBench bench = Bench(version, hides);
        ReadOutcome outcome = default;
        int reads = 0;
        for (; outcome.Status == ReadStatus.Data && reads < 200; reads++)
        {
            bench.Kernel.Arrive(FakeRecord.Empty(ContentType.ApplicationData));
            outcome = bench.Read();
        }

        Assert.Equal((ReadStatus.Rejected, AlertDescription.UnexpectedMessage), (outcome.Status, outcome.Alert));
        Assert.InRange(reads, 32, 100);
    }

    [Fact]
    public void Tls12_without_hidden_pages_is_not_to_be_had()
    {
        FakeKernel kernel = new();
        using PagePool pool = PagePool.Create(new PagePolicy { BytesMax = 4 << 20 }, stages: 1);
        Assert.Throws<ArgumentException>(() =>
            new KernelRecordSource(kernel, 1, TestRecords.Keys(TestRecords.Tls12), canUpdateKeys: true, hidden: null, pool));
    }

    [Theory]
    [InlineData(Delivery.Auto)]
    [InlineData(Delivery.Copy)]
    [InlineData(Delivery.Flip)]
    [Trait("Claim", "I2")]
    public void Tls12_is_never_read_into_readable_memory(Delivery delivery)
    {
        using KernelSourceBench bench = new(TestRecords.Tls12, delivery);
        bench.Kernel.Arrive(FakeRecord.Data("ab"), FakeRecord.Alert(AlertDescription.NoRenegotiation), FakeRecord.Data("cd")).ArriveBad(1, 2, 3);
        while (bench.ReadAll().Last.Status == ReadStatus.Control)
        {
        }

        Assert.NotEmpty(bench.Ring.Submissions);
        Assert.DoesNotContain(bench.Kernel.Calls, call => call.StartsWith("ReceiveVerified", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Delivery.Copy, null, false)]
    [InlineData(Delivery.Auto, null, false)]
    [InlineData(Delivery.Auto, 1000, true)]
    [InlineData(Delivery.Flip, null, true)]
    public void Tls13_is_hidden_where_the_policy_flips(Delivery delivery, int? flipThreshold, bool hidesLarge)
    {
        using KernelSourceBench bench = new(TestRecords.Tls13, delivery, flipThreshold: flipThreshold, slots: 8);
        bench.Kernel.Arrive(FakeRecord.Data(new byte[2000]));
        using ExposedPages first = bench.Read().Data!;
        bench.Kernel.Arrive(FakeRecord.Data(new byte[2000]));
        using ExposedPages second = bench.Read().Data!;
        Assert.Equal(delivery == Delivery.Flip, first.HoldsSlot);
        Assert.Equal(hidesLarge, second.HoldsSlot);
        bench.Kernel.Arrive(FakeRecord.Data("few"));
        using ExposedPages third = bench.Read().Data!;
        bench.Kernel.Arrive(FakeRecord.Data("few"));
        using ExposedPages fourth = bench.Read().Data!;
        Assert.Equal(delivery == Delivery.Flip, fourth.HoldsSlot);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_verified_copy_leaves_nothing_in_the_memory_it_passed_through(bool control)
    {
        using KernelSourceBench bench = Bench("TLS 1.3", hides: false);
        bench.Kernel.Arrive(control ? FakeRecord.Handshake(1, 2, 3) : FakeRecord.Data("secret"));
        ((IDisposable?)bench.Read().Data)?.Dispose();
        Assert.Equal(-1, bench.Scratch.AsSpan(0, 16).IndexOf("secret"u8));
        Assert.Equal(-1, bench.Scratch.AsSpan(0, 16).IndexOf((ReadOnlySpan<byte>)[1, 2, 3]));
    }

    [Fact]
    public void Keys_change_behind_a_KeyUpdate_and_only_there()
    {
        using KernelSourceBench bench = Bench("TLS 1.3", hides: true);
        Assert.Throws<InvalidOperationException>(bench.Source.UpdateKeys);
        bench.Kernel.Arrive(FakeRecord.Data("old"), FakeRecord.KeyUpdate(), FakeRecord.Data("new"));
        Assert.Equal("old"u8.ToArray(), bench.ReadAll().Data);
        bench.Source.UpdateKeys();
        Assert.Equal("new"u8.ToArray(), bench.ReadAll().Data);
        Assert.Throws<InvalidOperationException>(bench.Source.UpdateKeys);
    }

    [Fact]
    public void Keys_the_kernel_refuses_end_the_direction()
    {
        using KernelSourceBench bench = Bench("TLS 1.3", hides: true);
        bench.Kernel.Arrive(FakeRecord.KeyUpdate()).RefuseInstall(Tmds.Linux.LibC.ENOMEM);
        Assert.Equal(ReadStatus.Control, bench.Read().Status);
        bench.Source.UpdateKeys();
        Assert.Equal(ReadStatus.Broken, bench.Read().Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Claim", "C10")]
    public void The_usage_limit_is_that_of_the_records_the_kernel_counted(bool hides)
    {
        using KernelSourceBench bench = new(
            ShortLivedSuite.Create(updateKeysRecords: 20, closeRecords: 30), hides ? Delivery.Flip : Delivery.Copy);
        for (int record = 1; record <= 30; record++)
        {
            UsageAction expected = record > 20 ? UsageAction.UpdateKeys : UsageAction.None;
            Assert.Equal(expected, bench.Source.Usage);
            bench.Kernel.Arrive(FakeRecord.Data(new byte[record]));
            Assert.NotEmpty(bench.ReadAll().Data);
        }

        bench.Kernel.Arrive(FakeRecord.Data("one too many"));
        ReadOutcome last = bench.Read();
        Assert.Equal((ReadStatus.Rejected, AlertDescription.InternalError), (last.Status, last.Alert));
    }

    [Fact]
    public void Reads_of_one_turn_are_one_submission_and_each_finds_its_own()
    {
        using KernelSourceBench bench = Bench("TLS 1.2", hides: true);
        FakeKernel other = new(descriptor: 2);
        other.Attach();
        Aead.Keys.DirectionKeys keys = TestRecords.Keys(TestRecords.Tls12);
        other.Install(Ktls.Kernel.KernelDirection.Receive, keys);
        bench.Ring.Add(other);
        using KernelRecordSource second = new(other, 2, keys, canUpdateKeys: true, bench.Hidden, bench.Pool);
        bench.Kernel.Arrive(FakeRecord.Data("first"));
        other.Arrive(FakeRecord.Data("second"));

        bench.Source.JoinTurn(bench.Hidden);
        second.JoinTurn(bench.Hidden);
        Assert.False(bench.Source.HasReadAhead);
        bench.Hidden.Submit();
        Assert.Equal([2], bench.Ring.Submissions);
        Assert.True(bench.Source.HasReadAhead);
        using (ExposedPages data = bench.Read().Data!)
        {
            Assert.Equal("first"u8.ToArray(), data.GetSpan().ToArray());
        }

        using (ExposedPages data = second.Read(null!, receive: false).Data!)
        {
            Assert.Equal("second"u8.ToArray(), data.GetSpan().ToArray());
        }

        Assert.Equal([2], bench.Ring.Submissions);
        bench.Hidden.EndTurn();
    }

    [Fact]
    public void A_read_nobody_took_is_zeroed_when_the_turn_ends()
    {
        using KernelSourceBench bench = Bench("TLS 1.2", hides: true);
        bench.Kernel.Arrive(FakeRecord.Data("unseen"));
        bench.Source.JoinTurn(bench.Hidden);
        bench.Hidden.Submit();
        bench.Source.Dispose();
        bench.Hidden.EndTurn();
        Assert.False(bench.Source.HasReadAhead);
    }

    [Fact]
    public void A_crowd_leaves_one_slot_for_reads_within_the_turn()
    {
        using KernelSourceBench bench = new(TestRecords.Tls12, slots: 2);
        TurnRead other = new();
        bench.Kernel.Arrive(FakeRecord.Data("ab"));
        bench.Source.JoinTurn(bench.Hidden);
        bench.Hidden.Join(other, bench.Kernel.Descriptor);
        Assert.Null(other.Slot);
        bench.Hidden.Submit();
        bench.Hidden.Read(other, bench.Kernel.Descriptor);
        bench.Hidden.Discard(other);
        Assert.Equal("ab"u8.ToArray(), bench.ReadAll().Data);
    }

    /// <summary>Whatever arrives, and however the pages are seen at the seams: an authentic prefix, then the right end.</summary>
    [Cases(400)]
    [Trait("Claim", "C1")]
    public void A_consumer_sees_the_authentic_prefix_and_nothing_else(NonEmptyArray<(byte Kind, ushort Length)> script, bool tls12, bool hides)
    {
        using KernelSourceBench bench = Bench(tls12 ? "TLS 1.2" : "TLS 1.3", hides || tls12);
        List<byte> expected = [];
        List<byte> controls = [];
        bool rejected = false;
        foreach ((byte kind, ushort length) in script.Get)
        {
            byte[] content = TestRecords.Bytes(length % 16385, kind + 1);
            switch (kind % 8)
            {
                case 0 when content.Length > 0:
                    bench.Kernel.ArriveBad(content);
                    rejected = true;
                    break;
                case 1:
                    bench.Kernel.Arrive(FakeRecord.Handshake(22, (byte)length));
                    controls.AddRange(rejected ? [] : [22, (byte)length]);
                    break;
                default:
                    bench.Kernel.Arrive(FakeRecord.Data(content));
                    expected.AddRange(rejected ? [] : content);
                    break;
            }
        }

        bench.Ring.Zeroing = (address, bytes) => Assert.True(PageProbe.IsHidden(address, bytes));
        List<byte> seen = [];
        List<byte> seenControls = [];
        while (true)
        {
            (byte[] data, ReadOutcome last) = bench.ReadAll();
            seen.AddRange(data);
            seenControls.AddRange(last.Status == ReadStatus.Control ? last.Control.ToArray() : []);
            if (last.Status != ReadStatus.Control)
            {
                Assert.Equal(rejected ? ReadStatus.Rejected : ReadStatus.Data, last.Status);
                break;
            }
        }

        Assert.Equal(expected, seen);
        Assert.Equal(controls, seenControls);
    }

    private static KernelSourceBench Bench(string version, bool hides) => version == "TLS 1.2"
        ? new KernelSourceBench(TestRecords.Tls12)
        : new KernelSourceBench(TestRecords.Tls13, hides ? Delivery.Flip : Delivery.Copy, hides);

    private static unsafe nint AddressOf(ExposedPages pages)
    {
        using System.Buffers.MemoryHandle pin = pages.Pin();
        return (nint)pin.Pointer;
    }
}
