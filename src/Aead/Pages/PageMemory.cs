using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Aead.Pages;

// The memfd behind one page map, while the map is made: the descriptor is closed with it, and what the views map stays.
internal sealed unsafe class PageMemory : IDisposable
{
    private readonly int _descriptor;
    private readonly long _bytes;

    private PageMemory(int descriptor, long bytes)
    {
        _descriptor = descriptor;
        _bytes = bytes;
    }

    /// <summary>Zeroes, none of them in memory yet.</summary>
    /// <exception cref="PageMapException">Names the call and the errno.</exception>
    internal static PageMemory Create(long bytes)
    {
        int descriptor;
        fixed (byte* name = "tls-pages\0"u8)
        {
            descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | NoExecSeal);
            // Kernels before 6.3 do not know the flag; later ones may be set to demand it (vm.memfd_noexec).
            if (descriptor < 0 && errno == EINVAL)
            {
                descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
            }
        }

        PageMap.Check(descriptor, "memfd_create");
        var memory = new PageMemory(descriptor, bytes);
        try
        {
            memory.SetLength();
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Puts every whole 2 MiB into one huge page, as far as the kernel has any to give. Slots are smaller and are
    /// still mapped page by page; but the kernel changes the protection of neighbours within one huge page together,
    /// for less (docs/performance.md). Before anything else maps the memory.
    /// </summary>
    /// <exception cref="PageMapException">Names the call and the errno.</exception>
    internal void JoinIntoHugePages()
    {
        long bytes = _bytes - _bytes % HugePageBytes;
        if (bytes == 0)
        {
            return;
        }

        // Huge pages are made where they could be mapped as such: at an address that is a multiple of their size.
        ulong rangeBytes = (ulong)(bytes + HugePageBytes);
        nint range = PageMap.Reserve(rangeBytes);
        try
        {
            nint aligned = (range + HugePageBytes - 1) & -HugePageBytes;
            Map(aligned, bytes, PROT_READ | PROT_WRITE, offset: 0);

            // Not all kernels can, and memory may be too fragmented: small pages do as well.
            _ = madvise((void*)aligned, (size_t)(ulong)bytes, Collapse);
        }
        finally
        {
            PageMap.Check(munmap((void*)range, (size_t)rangeBytes), "munmap");
        }
    }

    /// <summary>Maps a part of it over what is at <paramref name="address"/>, faulted in.</summary>
    /// <exception cref="PageMapException">Names the errno.</exception>
    internal void Map(nint address, long bytes, int protection, long offset)
    {
        int flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
        void* mapped = mmap((void*)address, (size_t)(ulong)bytes, protection, flags, _descriptor, offset);
        PageMap.Check(mapped == MAP_FAILED ? -1 : 0, "mmap(memfd)");
    }

    /// <summary>From here on nobody can map these pages writable, or be handed a view that can become so.</summary>
    /// <exception cref="PageMapException">Names the errno.</exception>
    internal void Seal() => PageMap.Check(fcntl(_descriptor, F_ADD_SEALS, Seals), "fcntl(F_ADD_SEALS)");

    /// <summary>Closes the descriptor.</summary>
    public void Dispose() => _ = close(_descriptor);

    private void SetLength()
    {
        int result;
        do
        {
            result = ftruncate(_descriptor, _bytes);
        }
        while (result < 0 && errno == EINTR);

        PageMap.Check(result, "ftruncate(memfd)");
    }

    // Of x86-64, and of ARM with pages of 4 KiB. Where they are larger nothing is joined, or only what happens to fit.
    private const int HugePageBytes = 2 << 20;

    // Not in Tmds.LibC. include/uapi/linux/fcntl.h: F_SEAL_FUTURE_WRITE (Linux 5.1).
    private const int FutureWrite = 0x10;

    // include/uapi/linux/memfd.h: MFD_NOEXEC_SEAL (Linux 6.3).
    private const uint NoExecSeal = 0x8;

    // include/uapi/asm-generic/mman-common.h: MADV_COLLAPSE (Linux 6.1).
    private const int Collapse = 25;

    private static int Seals => FutureWrite | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
}
