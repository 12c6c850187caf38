using Aead.Pages;
using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>Gives every loop a ring and pinned pages: all of them or none, so that it does not depend on the loop how a client is served.</summary>
internal static class HiddenReceiveFactory
{
    /// <summary>Equips the loops with as many slots as may be pinned, up to a bound.</summary>
    /// <returns>Null, or why the kernel gives none.</returns>
    public static LayerReason? Equip(ReadOnlySpan<EventLoop> loops, PagePool pages)
    {
        int slots = (int)Math.Clamp(pages.Policy.BytesMax / PoolShare / loops.Length / PinnedPages.SlotBytes, PinnedPages.SlotsMin, SlotsMax);
        HiddenReceive[] made = new HiddenReceive[loops.Length];
        LayerReason? refusal = null;
        while (!TryMake(loops, pages, slots, made, out refusal))
        {
            if (slots == PinnedPages.SlotsMin)
            {
                return refusal;
            }

            slots = Math.Max(slots / 2, PinnedPages.SlotsMin);
        }

        for (int i = 0; i < loops.Length; i++)
        {
            loops[i].Hidden = made[i];
        }

        return null;
    }

    private static bool TryMake(ReadOnlySpan<EventLoop> loops, PagePool pages, int slots, HiddenReceive[] made, out LayerReason? refusal)
    {
        for (int i = 0; i < loops.Length; i++)
        {
            if (TryMake(loops[i], pages, slots, loops.Length, out refusal) is not { } hidden)
            {
                foreach (HiddenReceive earlier in made.AsSpan(0, i))
                {
                    earlier.Dispose();
                }

                return false;
            }

            made[i] = hidden;
        }

        refusal = null;
        return true;
    }

    private static HiddenReceive? TryMake(EventLoop loop, PagePool pages, int slots, int rings, out LayerReason? refusal)
    {
        if (HiddenReadRing.TryCreate(Math.Min(slots, ReadsMax), out SyscallResult answer) is not { } ring)
        {
            refusal = LayerReasons.IoUring(answer);
            return null;
        }

        try
        {
            refusal = null;
            return new HiddenReceive(ring, PinnedPages.Create(pages, ring, slots, loop.Nudge));
        }
        catch (PagePoolException refused)
        {
            ring.Dispose();
            refusal = LayerReasons.NotPinned(refused, (long)rings * slots * PinnedPages.SlotBytes);
            return null;
        }
    }

    // 4 MiB a loop: sixty-four uploads that wait for their backends before the next ones are copied.
    private const int SlotsMax = 64;

    // Of the pool's bound: pinned pages are no more than a part of what the pool may hold.
    private const int PoolShare = 8;

    // Connections that are ready at once and waited for. Beyond it they are read one by one.
    private const int ReadsMax = 32;
}
