namespace Aead.Pages;

/// <summary>
/// A slot that only the kernel can fill: no mapping of this process can write to it, and none can read it
/// until it is exposed. Rented from <see cref="PinnedPages"/> and given back to it, never kept.
/// </summary>
public sealed class PinnedSlot
{
    internal PinnedSlot(PinnedPages home, PageMap map, int index)
    {
        Pages = new Guarded(this, home, map, index);
        TargetAddress = map.WriterAddress(index);
    }

    /// <summary>
    /// Where the pinned writer writes. A number: nothing of this process is mapped there that could be read.
    /// </summary>
    public nint TargetAddress { get; }

    /// <summary>Bytes of the slot.</summary>
    public int Bytes => Pages.Bytes;

    /// <summary>The address consumers would read the slot at; nothing is readable there while it is hidden.</summary>
    internal nint ReaderAddress => Pages.ReaderAddress;

    internal GuardedSlot Pages { get; }

    private sealed class Guarded(PinnedSlot slot, PinnedPages home, PageMap map, int index)
        : GuardedSlot(map, index)
    {
        // On the consumer's thread, which cannot zero: the loop does, before the slot is filled again.
        internal override void TakeBack(int used)
        {
            Hide();
            home.Return(slot, used);
        }
    }
}
