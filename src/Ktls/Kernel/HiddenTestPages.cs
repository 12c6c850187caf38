using System.Runtime.InteropServices;
using Aead.Pages;

namespace Ktls.Kernel;

/// <summary>
/// A ring of its own for the self-test, and pages for it. Unlike those of a loop they stay readable: what is read into them is the test's
/// own, and it wants to see what a refused record leaves there. For one thread.
/// </summary>
internal sealed class HiddenTestPages : IDisposable
{
    private readonly byte[] _memory;
    private readonly int _start;

    /// <summary>Pins pages with the ring.</summary>
    /// <param name="ring">Disposed with this.</param>
    /// <exception cref="PagePoolException">They cannot be pinned.</exception>
    public HiddenTestPages(IHiddenReads ring)
    {
        Ring = ring;
        _memory = GC.AllocateArray<byte>(PinnedBytes + Environment.SystemPageSize, pinned: true);
        _start = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(_memory, 0) & (Environment.SystemPageSize - 1));
        ring.Pin(Address, PinnedBytes);
    }

    /// <summary>Reads into <see cref="Pages"/>.</summary>
    public IHiddenReads Ring { get; }

    /// <summary>The pinned bytes.</summary>
    public Span<byte> Pages => _memory.AsSpan(_start, PinnedBytes);

    /// <summary>Where they are.</summary>
    public nint Address => Marshal.UnsafeAddrOfPinnedArrayElement(_memory, _start);

    /// <summary>Makes a ring and pins pages, or tells why that cannot be.</summary>
    public static HiddenTestPages? TryCreate(out LayerReason? whyNot)
    {
        HiddenReadRing? ring = HiddenReadRing.TryCreate(readsMax: 1, out SyscallResult refusal);
        if (ring == null)
        {
            whyNot = LayerReasons.IoUring(refusal);
            return null;
        }

        try
        {
            whyNot = null;
            return new HiddenTestPages(ring);
        }
        catch (PagePoolException refused)
        {
            ring.Dispose();
            whyNot = LayerReasons.NotPinned(refused, PinnedBytes);
            return null;
        }
    }

    public void Dispose() => Ring.Dispose();

    // As much as a loop needs at the least, two slots: without that hidden reads are of no use. A multiple of every page size Linux uses.
    private const int PinnedBytes = 128 << 10;
}
