using Aead.Pages;
using Ktls.Kernel;
using Ktls.Tests.ReceivePath;
using TestKit.Pages;

namespace Kernel.Tests.ReceivePath;

/// <summary>The real ring of one event loop. The witness looks before the kernel writes, after it has written, and at every zeroing.</summary>
internal sealed class WatchedRing(HiddenReadRing ring, Witness witness) : IHiddenReads
{
    private readonly Dictionary<nint, PinnedSlot> _slots = [];

    public int ReadsMax => ring.ReadsMax;

    /// <summary>Learns where the slots are seen. Before they are used.</summary>
    public void Learn(PinnedPages pages)
    {
        while (pages.TryRent(out PinnedSlot? slot))
        {
            _slots.Add(slot.TargetAddress, slot);
        }

        foreach (PinnedSlot slot in _slots.Values)
        {
            _ = pages.Settle(slot, verifiedLength: 0, writtenLength: 0);
        }
    }

    public void Pin(nint address, long bytes) => ring.Pin(address, bytes);

    public void Submit(Span<HiddenRead> reads)
    {
        Look(reads, "before a read");
        ring.Submit(reads);
        Look(reads, "when the kernel has written");
    }

    public void Zero(nint address, int bytes)
    {
        witness.Look("before a zeroing");
        ring.Zero(address, bytes);
    }

    public void Dispose() => ring.Dispose();

    private void Look(Span<HiddenRead> reads, string when)
    {
        foreach (ref readonly HiddenRead read in reads)
        {
            witness.LookAtHidden(_slots[read.Address].ReaderAddress, when);
            if (!PageProbe.IsHidden(read.Address, read.Length))
            {
                witness.Complain($"{when}: the kernel's own address can be read");
            }
        }

        witness.Look(when);
    }
}
