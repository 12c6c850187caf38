using Aead;
using Aead.Pages;
using Ktls.Kernel;
using Ktls.Tests.Kernel;
using Ktls.Transport;
using TestKit.Pages;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>
/// A kernel source over a fake kernel. Watches the hidden slot at every seam the kernel and the source have. Disposing it proves that every
/// slot came back, zeroed.
/// </summary>
internal sealed class KernelSourceBench : IDisposable
{
    private readonly ReceiveScratch _scratch;

    public KernelSourceBench(
        CipherSuite suite, Delivery delivery = Delivery.Flip, bool hides = true, bool supportsRekey = true, int? flipThreshold = null, int slots = 4)
    {
        Pool = PagePool.Create(
            new PagePolicy { Delivery = delivery, FlipThreshold = flipThreshold ?? PagePolicy.NeverFlip, BytesMax = 4 << 20 }, stages: 1);
        _scratch = new ReceiveScratch(Pool.CreateStage());
        Kernel = new FakeKernel(supportsRekey);
        Ring = new FakeHiddenReads(Kernel) { ReadsMax = 8 };
        Hidden = new HiddenReceive(Ring, PinnedPages.Create(Pool, Ring, slots, () => { }));
        Kernel.Attach();
        Aead.Keys.DirectionKeys keys = TestRecords.Keys(suite);
        Kernel.Install(KernelDirection.Receive, keys);
        Source = new KernelRecordSource(Kernel, Kernel.Descriptor, keys, supportsRekey, hides ? Hidden : null, Pool);
        Ring.Filled = read => Assert.True(PageProbe.IsHidden(read.Address, read.Length), "The kernel's address can be read.");
    }

    public PagePool Pool { get; }

    public FakeKernel Kernel { get; }

    public FakeHiddenReads Ring { get; }

    public HiddenReceive Hidden { get; }

    public KernelRecordSource Source { get; }

    /// <summary>Ordinary memory a verified copy passes through.</summary>
    public byte[] Scratch => _scratch.Ciphertext;

    /// <summary>One read.</summary>
    public ReadOutcome Read() => Source.Read(_scratch, receive: true);

    /// <summary>Reads until something other than data comes, or nothing more; the data is given back.</summary>
    public (byte[] Data, ReadOutcome Last) ReadAll()
    {
        List<byte> data = [];
        while (true)
        {
            ReadOutcome outcome = Read();
            if (outcome is { Status: ReadStatus.Data, Data: null, Drained: false })
            {
                continue;
            }

            if (outcome.Data is not { } lease)
            {
                return ([.. data], outcome);
            }

            using (lease)
            {
                data.AddRange(lease.GetSpan());
                Hidden.EndTurn();
            }
        }
    }

    public void Dispose()
    {
        Source.Dispose();
        Hidden.EndTurn();
        Assert.Equal((Hidden.Pages.Slots, 0), (Hidden.Pages.SlotsFree, Hidden.Pages.SlotsOut));
        List<PinnedSlot> slots = [];
        while (Hidden.Pages.TryRent(out PinnedSlot? slot))
        {
            Assert.Equal(new byte[slot.Bytes], Ring.Peek(slot.TargetAddress, slot.Bytes));
            slots.Add(slot);
        }

        slots.ForEach(slot => Hidden.Pages.Settle(slot, 0, 0));
        Assert.Equal(0, Pool.Status.CopyBytesInUse);
        Hidden.Dispose();
        _scratch.Dispose();
        Pool.Dispose();
    }
}
