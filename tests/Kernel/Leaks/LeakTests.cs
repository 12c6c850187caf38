using Aead;
using Aead.Pages;
using Aead.Records;
using FsCheck;
using FsCheck.Fluent;
using Ktls.Tests.ReceivePath;
using Ktls.Transport;
using TestKit;
using TestKit.Pages;
using Tmds.Linux;
using Xunit;

namespace Kernel.Tests.Leaks;

/// <summary>
/// The reason this project exists, on every kernel: an ordinary receive leaves plaintext that never verified in readable memory; ours never
/// lets anybody see any. Both halves look with the same eyes.
/// </summary>
[Trait("Claim", "I1")]
[Trait("Claim", "I2")]
public sealed class LeakTests
{
    public static TheoryData<string> Tls12Suites() => Suites(TlsVersion.Tls12);

    public static TheoryData<string> Tls13Suites() => Suites(TlsVersion.Tls13);

    public static TheoryData<string, Delivery> Ways()
    {
        TheoryData<string, Delivery> ways = [];
        foreach (CipherSuite suite in OnePerAlgorithm())
        {
            ways.Add(suite.Name, Delivery.Flip);
            ways.Add(suite.Name, Delivery.Copy);
        }

        return ways;
    }

    [Theory]
    [Trait("Runs", "Everywhere")]
    [MemberData(nameof(Tls12Suites))]
    public void An_ordinary_receive_leaves_a_whole_forged_record_behind_its_error(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using RecordSender sender = new RecordSender(suite).SendBad(16384, flippedByte: 100, flippedBit: 0);
        using StockReceiver receiver = new();
        Assert.Equal(-LibC.EBADMSG, receiver.ReceiveOnce(sender, suite));
        Assert.Equal(16384, CountUnverified(receiver.Memory));
        Assert.True(ClientRecords.ShowsUnverified(PageProbe.Read(receiver.Address, 256)), "The observer is blind.");
    }

    [Theory]
    [Trait("Runs", "Everywhere")]
    [MemberData(nameof(Tls12Suites))]
    public void An_ordinary_receive_leaves_a_forged_record_behind_a_good_result(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using RecordSender sender = new RecordSender(suite).SendGood(1000).SendBad(8000, flippedByte: 100, flippedBit: 0);
        using StockReceiver receiver = new();
        Assert.Equal(1000, receiver.ReceiveOnce(sender, suite));
        Assert.Equal(RecordSender.Good(1000), receiver.Memory[..1000].ToArray());
        Assert.True(ClientRecords.ShowsUnverified(receiver.Memory[1000..]), "Nothing was left behind the result.");
    }

    [Theory]
    [MemberData(nameof(Tls13Suites))]
    public void An_ordinary_receive_of_TLS_13_leaves_nothing(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using RecordSender sender = new RecordSender(suite).SendBad(16384, flippedByte: 100, flippedBit: 0);
        using StockReceiver receiver = new();
        Assert.Equal(-LibC.EBADMSG, receiver.ReceiveOnce(sender, suite));
        Assert.Equal(0, CountUnverified(receiver.Memory));
    }

    /// <summary>Any good records, then a bad one of any size, flipped anywhere: looked at before, at, and after every step.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void Ours_never_shows_what_did_not_verify(string name, Delivery delivery)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using GuardedReceiver receiver = new(delivery);
        Prop.ForAll(BadRecord.Any.ToArbitrary(), bad => Receive(receiver, suite, bad)).Check(Quietly.WithMaxTest(25));
        bool kernelWritesThrough = suite.Version == TlsVersion.Tls12;
        Assert.Equal(kernelWritesThrough, receiver.LeaksCovered > 0);
    }

    /// <summary>
    /// Bad records on one CPU, most of them of the kind the kernel leaks most, and an observer on the other, which may look between any two
    /// instructions: a thousand on both machines with two CPUs together, two thousand at full scale. The same observer has to catch an ordinary
    /// receive.
    /// </summary>
    [Theory]
    [Trait("Needs", "TwoCpus")]
    [InlineData("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Delivery.Flip, 300)]
    [InlineData("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Delivery.Flip, 100)]
    [InlineData("TLS_AES_128_GCM_SHA256", Delivery.Flip, 50)]
    [InlineData("TLS_AES_128_GCM_SHA256", Delivery.Copy, 50)]
    public void A_second_CPU_never_sees_what_did_not_verify(string name, Delivery delivery, int badRecords)
    {
        Assert.True(Environment.ProcessorCount > 1, "This needs a second CPU.");
        CipherSuite suite = CipherSuite.Find(name)!;
        badRecords *= TestScale.Choose(1, 2);
        using GuardedReceiver receiver = new(delivery, watchesSeams: false);
        int records = 0;
        using (PlaintextObserver observer = new([.. receiver.Targets, .. Pinned(receiver.Scratch)]))
        {
            Prop.ForAll(BadRecord.Any.ToArbitrary(), bad =>
            {
                records++;
                Receive(receiver, suite, bad);
            }).Check(Quietly.WithMaxTest(badRecords));
            observer.Dispose();
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{records} bad records: {observer.Hidden} looks at hidden pages, {observer.Harmless} harmless, {observer.Unverified} at unverified bytes");
            Assert.Equal(0, observer.Unverified);
            Assert.True(observer.Hidden > records, "The observer hardly looked.");
        }

        Assert.True(records >= badRecords);
        Assert.False(ClientRecords.ShowsUnverified(receiver.Scratch));
        Assert.True(CatchOrdinaryReceive(), "The observer is blind: it saw nothing where an ordinary receive leaves it all.");
    }

    private static Config Quietly => Config.QuickThrowOnFailure.WithQuietOnSuccess(true);

    private static void Receive(GuardedReceiver receiver, CipherSuite suite, BadRecord bad)
    {
        using RecordSender sender = new(suite);
        foreach (int length in bad.GoodLengths)
        {
            sender.SendGood(length);
        }

        sender.SendBad(bad.Length, bad.FlippedByte, bad.FlippedBit);
        (byte[] data, ReadOutcome last) = receiver.ReceiveAll(sender.Descriptor, suite);
        Assert.Equal((ReadStatus.Rejected, AlertDescription.BadRecordMac), (last.Status, last.Alert));
        Assert.Equal(bad.GoodLengths.SelectMany(RecordSender.Good), data);
    }

    private static bool CatchOrdinaryReceive()
    {
        CipherSuite suite = CipherSuite.Find("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")!;
        using StockReceiver receiver = new();
        using PlaintextObserver observer = new((receiver.Address, StockReceiver.Bytes));
        for (int i = 0; i < 20; i++)
        {
            using RecordSender sender = new RecordSender(suite).SendBad(16384, i, flippedBit: 0);
            Assert.Equal(-LibC.EBADMSG, receiver.ReceiveOnce(sender, suite));
            Thread.Sleep(1);
            receiver.Memory.Clear();
        }

        observer.Dispose();
        return observer.Unverified > 0;
    }

    private static int CountUnverified(ReadOnlySpan<byte> memory)
    {
        int count = 0;
        foreach (byte b in memory)
        {
            count += b > 0x7F ? 1 : 0;
        }

        return count;
    }

    private static unsafe IEnumerable<(nint Address, int Bytes)> Pinned(byte[] scratch)
    {
        // Large enough to lie on the large object heap, which is not compacted; held by the receiver.
        fixed (byte* start = scratch)
        {
            return [((nint)start, scratch.Length)];
        }
    }

    private static TheoryData<string> Suites(TlsVersion version) =>
        [.. OnePerAlgorithm().Where(suite => suite.Version == version).Select(suite => suite.Name)];

    private static IEnumerable<CipherSuite> OnePerAlgorithm() => CipherSuite.All.DistinctBy(suite => (suite.Version, suite.Aead));

    /// <summary>What FsCheck draws: the good records before it, how long it is, and where one bit of it is flipped.</summary>
    private sealed record BadRecord(int[] GoodLengths, int Length, int FlippedByte, int FlippedBit)
    {
        public static Gen<BadRecord> Any =>
            from good in Gen.Choose(1, 16384).ListOf(3).SelectMany(all => Gen.Choose(0, 3).Select(count => all.Take(count).ToArray()))
            from length in Gen.OneOf(Gen.Choose(1, 64), Gen.Choose(1, 16384), Gen.Constant(16384))
            from flippedByte in Gen.Choose(0, 20000)
            from flippedBit in Gen.Choose(0, 6)
            select new BadRecord(good, length, flippedByte, flippedBit);
    }
}
