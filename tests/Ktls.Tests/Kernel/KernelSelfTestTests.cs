using Aead;
using Aead.Pages;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Ktls.Tests.Kernel;

/// <summary>Does the self-test pass a kernel that is right, and find each way to be wrong?</summary>
[Trait("Claim", "C8")]
public sealed class KernelSelfTestTests : IDisposable
{
    private readonly PagePool _pool = PagePool.Create(new PagePolicy { Delivery = Delivery.Copy, BytesMax = 1 << 20 }, stages: 2);
    private readonly DecryptStage _ours;
    private readonly DecryptStage _kernels;

    public KernelSelfTestTests() => (_ours, _kernels) = (_pool.CreateStage(), _pool.CreateStage());

    public static TheoryData<string> Suites { get; } =
        [.. CipherSuite.All.DistinctBy(suite => (suite.Version, suite.Aead)).Select(suite => suite.Name)];

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_kernel_that_is_right_passes(string suite)
    {
        Assert.Equal(SelfTestVerdict.Passed, Transmit(KernelFault.None, CipherSuite.Find(suite)!));
        Assert.Equal(SelfTestVerdict.Passed, Receive(KernelFault.None, CipherSuite.Find(suite)!, hidden: true));
    }

    [Theory]
    [InlineData(KernelFault.SendsOtherBytes, "something else")]
    [InlineData(KernelFault.SendsUnderOtherKeys, "refused with BadRecordMac")]
    [InlineData(KernelFault.SendsNoControl, "something else")]
    public void A_kernel_that_sends_wrong_fails(KernelFault fault, string words)
    {
        SelfTestVerdict verdict = Transmit(fault, TestRecords.Tls13);
        Assert.Equal(SelfTestOutcome.Failed, verdict.Outcome);
        Assert.Contains(words, verdict.Detail, StringComparison.Ordinal);
        Assert.False(verdict.AcceptedForgery);
    }

    [Theory]
    [InlineData(KernelFault.NeverSends)]
    [InlineData(KernelFault.RunsOutOfMemory)]
    public void A_kernel_that_cannot_send_now_is_no_failure(KernelFault fault) =>
        Assert.Equal(SelfTestOutcome.Inconclusive, Transmit(fault, TestRecords.Tls13).Outcome);

    [Theory]
    [InlineData(KernelFault.ReadsOtherBytes, "something else", false)]
    [InlineData(KernelFault.ReadsControlAsData, "something else", false)]
    [InlineData(KernelFault.RefusesGenuine, "a genuine record was refused", false)]
    [InlineData(KernelFault.EndsTheStream, "the stream ended", false)]
    [InlineData(KernelFault.ForgetsRefusals, "was accepted, 10 bytes", true)]
    [InlineData(KernelFault.RefusesForgeriesByAnotherName, "no bad record", false)]
    [InlineData(KernelFault.AcceptsForgeries, "was accepted, 1000 bytes", true)]
    [InlineData(KernelFault.AppendsForgeries, "100 bytes were read that nobody sent", true)]
    public void A_kernel_that_receives_wrong_fails_whichever_way_it_is_read(KernelFault fault, string words, bool forged)
    {
        foreach (SelfTestVerdict verdict in (SelfTestVerdict[])
            [Receive(fault, TestRecords.Tls13, hidden: false), Receive(fault, TestRecords.Tls12, hidden: true)])
        {
            Assert.Equal(SelfTestOutcome.Failed, verdict.Outcome);
            Assert.Contains(words, verdict.Detail, StringComparison.Ordinal);
            Assert.Equal(forged, verdict.AcceptedForgery);
        }
    }

    [Theory]
    [InlineData(KernelFault.LeavesForgeries, "1000 bytes of a record that was tampered with")]
    [InlineData(KernelFault.LeavesBytesBehind, "1 bytes were written behind")]
    public void Unverified_bytes_in_readable_memory_are_a_failure_and_in_pages_that_are_zeroed_are_none(KernelFault fault, string words)
    {
        SelfTestVerdict verdict = Receive(fault, TestRecords.Tls13, hidden: false);
        Assert.Equal(SelfTestOutcome.Failed, verdict.Outcome);
        Assert.Contains(words, verdict.Detail, StringComparison.Ordinal);
        Assert.Equal(SelfTestVerdict.Passed, Receive(fault, TestRecords.Tls12, hidden: true));
    }

    [Fact]
    public void Pages_that_are_not_zeroed_are_a_failure() =>
        Assert.Equal(SelfTestOutcome.Failed, Receive(KernelFault.None, TestRecords.Tls12, hidden: true, neverZeroes: true).Outcome);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_loopback_that_is_wedged_is_no_failure_and_waits_not_for_ever(bool hidden)
    {
        long start = Environment.TickCount64;
        CipherSuite suite = hidden ? TestRecords.Tls12 : TestRecords.Tls13;
        Assert.Equal(SelfTestOutcome.Inconclusive, Receive(KernelFault.NeverReads, suite, hidden).Outcome);
        Assert.InRange(Environment.TickCount64 - start, 0, (long)TestKit.Timeouts.Exchange.TotalMilliseconds);
    }

    [Fact]
    public void A_pair_is_connected_to_itself_and_its_port_is_closed()
    {
        using LoopbackPair? pair = LoopbackPair.TryCreate(out SyscallResult refusal);
        Assert.False(refusal.Failed, refusal.ErrorName);
        Assert.False(SocketCalls.Send(pair!.Peers, [1, 2, 3]).Failed);
        byte[] read = new byte[8];
        Assert.Equal(3, SocketCalls.Receive(pair.Ours, read).Value);
        Assert.True(System.Net.IPAddress.IsLoopback(SocketCalls.LocalAddress(pair.Ours).Address));
        using System.Net.Sockets.TcpClient stranger = new();
        Assert.ThrowsAny<System.Net.Sockets.SocketException>(() => stranger.Connect(SocketCalls.LocalAddress(pair.Ours)));
    }

    public void Dispose()
    {
        _ours.Dispose();
        _kernels.Dispose();
        _pool.Dispose();
    }

    private SelfTestVerdict Transmit(KernelFault fault, CipherSuite suite) =>
        KernelSelfTest.TestTransmit(suite, descriptor => new UserSpaceKernel(descriptor, fault, _kernels), _ours);

    // The ring outlives the sockets it reads, and here they are one: a switch in front leads each read to the newest.
    private SelfTestVerdict Receive(KernelFault fault, CipherSuite suite, bool hidden, bool neverZeroes = false)
    {
        RingOfNewest ring = new();
        using HiddenTestPages pages = new(ring);
        return KernelSelfTest.TestReceive(suite, Open, hidden ? pages : null);

        IKernelTls Open(int descriptor)
        {
            ring.Newest = new UserSpaceKernel(descriptor, fault, _kernels) { NeverZeroes = neverZeroes };
            ring.Newest.Pin(ring.Address, ring.Bytes);
            return ring.Newest;
        }
    }

    private sealed class RingOfNewest : IHiddenReads
    {
        public UserSpaceKernel? Newest { get; set; }

        public nint Address { get; private set; }

        public long Bytes { get; private set; }

        public int ReadsMax => 1;

        public void Pin(nint address, long bytes) => (Address, Bytes) = (address, bytes);

        public void Zero(nint address, int bytes) => Newest!.Zero(address, bytes);

        public void Submit(Span<HiddenRead> reads) => Newest!.Submit(reads);

        public void Dispose() => Newest?.Dispose();
    }
}
