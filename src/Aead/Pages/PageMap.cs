using System.Globalization;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Aead.Pages;

// The only mprotect and mlock of pages that hold plaintext, and with PageMemory the only mmap. One map is one
// memfd of equal slots, seen twice: the writer view and the reader view. The reader view is what consumers get, and after
// the seal no call of this process can make it writable. Its slots lie between anonymous PROT_NONE guard
// pages: an over-run faults, and neighbours never merge into one VMA that each mprotect would have to split
// and merge again.
//
// The writer view is of one of two kinds. For user space it is always read-write, with guards, and its
// address stays with the decrypt stage. For the kernel it is read-write only until a pinned writer has taken
// hold of the pages; then one mmap puts PROT_NONE in its place. Nothing in this process can write to those
// pages from then on, and the address is a number that means something to the pinned writer alone.
//
//     writer   | guard | slot 0 RW | guard | slot 1 RW | guard |
//     pinned   | slot 0 --   slot 1 --   slot 2 --              |
//     reader   | guard | slot 0 -- | guard | slot 1 R- | guard |      -- hidden, R- exposed
internal sealed unsafe class PageMap : IDisposable
{
    private readonly bool _pinned;
    private nint _writers;
    private nint _readers;

    private PageMap(int slotCount, int slotBytes, bool pinned)
    {
        SlotCount = slotCount;
        SlotBytes = slotBytes;
        _pinned = pinned;
    }

    internal int SlotCount { get; }

    internal int SlotBytes { get; }

    /// <summary>Slots locked so far: always the first ones.</summary>
    internal int SlotsLocked { get; private set; }

    private long MemoryBytes => SlotCount * (long)SlotBytes;

    private ulong RangeBytes => (ulong)(SlotCount * (long)(SlotBytes + GuardBytes) + GuardBytes);

    /// <summary>Maps zeroed, hidden slots. Whatever was made is undone when a call fails.</summary>
    /// <exception cref="PageMapException">Names the call and the errno.</exception>
    internal static PageMap Create(int slotCount, int slotBytes)
    {
        var map = new PageMap(slotCount, slotBytes, pinned: false);
        return map.Made(map.MapWriters);
    }

    /// <summary>Maps zeroed, hidden slots that only <paramref name="writer"/> can write to.</summary>
    /// <exception cref="PageMapException">Names the call and the errno.</exception>
    /// <exception cref="PagePoolException">The writer could not pin the pages.</exception>
    internal static PageMap CreatePinned(int slotCount, int slotBytes, IPinnedWriter writer)
    {
        var map = new PageMap(slotCount, slotBytes, pinned: true);
        return map.Made(memory => map.MapAndPin(memory, writer));
    }

    /// <summary>
    /// Keeps the first <paramref name="count"/> slots in memory. Through the writer view only: RLIMIT_MEMLOCK
    /// counts mappings, so locking both views would count each page twice.
    /// </summary>
    /// <exception cref="PageMapException">Names the errno; <see cref="SlotsLocked"/> tells how far it
    /// came.</exception>
    internal void Lock(int count)
    {
        while (SlotsLocked < count)
        {
            Check(mlock((void*)WriterAddress(SlotsLocked), SlotBytes), "mlock");
            SlotsLocked++;
        }
    }

    /// <summary>
    /// True when <paramref name="bytes"/> more may be locked now. Locks on fault, so nothing is allocated to
    /// find out.
    /// </summary>
    internal static bool CanLock(ulong bytes)
    {
        void* range = mmap(null, (size_t)bytes, PROT_READ, AnonymousFlags, -1, 0);
        if (range == MAP_FAILED)
        {
            return false;
        }

        bool locked = mlock2(range, (size_t)bytes, LockOnFault) == 0;
        _ = munmap(range, (size_t)bytes);
        return locked;
    }

    internal nint WriterAddress(int slot) => SlotAddress(_writers, slot, _pinned ? 0 : GuardBytes);

    internal nint ReaderAddress(int slot) => SlotAddress(_readers, slot, GuardBytes);

    /// <summary>Makes the slot readable through the reader view.</summary>
    internal void Expose(int slot) =>
        Check(mprotect((void*)ReaderAddress(slot), SlotBytes, PROT_READ), "mprotect(PROT_READ)");

    /// <summary>Makes any access through the reader view fault.</summary>
    internal void Hide(int slot) =>
        Check(mprotect((void*)ReaderAddress(slot), SlotBytes, PROT_NONE), "mprotect(PROT_NONE)");

    /// <summary>Unmaps both views; the memory goes with them. Idempotent.</summary>
    public void Dispose()
    {
        Unmap(ref _readers, RangeBytes);
        Unmap(ref _writers, RangeBytes);
    }

    private PageMap Made(Action<PageMemory> mapWriters)
    {
        try
        {
            using PageMemory memory = PageMemory.Create(MemoryBytes);
            _writers = Reserve(RangeBytes);
            _readers = Reserve(RangeBytes);
            mapWriters(memory);
            MapReaders(memory);
            KeepOutOfDumpsAndChildren(_writers, RangeBytes);
            KeepOutOfDumpsAndChildren(_readers, RangeBytes);
            return this;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private void MapWriters(PageMemory memory)
    {
        memory.JoinIntoHugePages();
        for (int slot = 0; slot < SlotCount; slot++)
        {
            memory.Map(WriterAddress(slot), SlotBytes, PROT_READ | PROT_WRITE, slot * (long)SlotBytes);
        }

        memory.Seal();
    }

    private void MapAndPin(PageMemory memory, IPinnedWriter writer)
    {
        // Not joined into huge pages: slots of 64 KiB are little dearer without, and a pinned page cannot move if
        // the kernel wants its memory elsewhere.
        memory.Map(_writers, MemoryBytes, PROT_READ | PROT_WRITE, 0);
        writer.Pin(_writers, MemoryBytes);
        memory.Seal();

        // One step, and the range stays taken: unmapping it first would let another mapping slip in, and the
        // pinned writer's number would then be somebody's address.
        void* replaced = mmap((void*)_writers, (size_t)(ulong)MemoryBytes, PROT_NONE, AnonymousFlags | MAP_FIXED, -1, 0);
        Check(replaced == MAP_FAILED ? -1 : 0, "mmap(PROT_NONE)");
    }

    private void MapReaders(PageMemory memory)
    {
        for (int slot = 0; slot < SlotCount; slot++)
        {
            // Faulted in while all is zero: the first expose under load then finds its page tables filled.
            memory.Map(ReaderAddress(slot), SlotBytes, PROT_READ, slot * (long)SlotBytes);
            Hide(slot);
        }
    }

    private nint SlotAddress(nint range, int slot, int guardBytes)
    {
        ObjectDisposedException.ThrowIf(range == 0, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)SlotCount);
        return range + guardBytes + slot * (nint)(SlotBytes + guardBytes);
    }

    internal static nint Reserve(ulong bytes)
    {
        void* range = mmap(null, (size_t)bytes, PROT_NONE, AnonymousFlags, -1, 0);
        Check(range == MAP_FAILED ? -1 : 0, "mmap(PROT_NONE)");
        return (nint)range;
    }

    private static void KeepOutOfDumpsAndChildren(nint range, ulong bytes)
    {
        Check(madvise((void*)range, (size_t)bytes, MADV_DONTDUMP), "madvise(MADV_DONTDUMP)");
        Check(madvise((void*)range, (size_t)bytes, MADV_DONTFORK), "madvise(MADV_DONTFORK)");
    }

    private static void Unmap(ref nint range, ulong bytes)
    {
        nint taken = Interlocked.Exchange(ref range, 0);
        if (taken != 0)
        {
            _ = munmap((void*)taken, (size_t)bytes);
        }
    }

    internal static void Check(int result, string call)
    {
        if (result < 0)
        {
            throw new PageMapException(call, ErrnoName(errno));
        }
    }

    private static string ErrnoName(int number) => ErrnoNames.TryGetValue(number, out string? name)
        ? name
        : "errno " + number.ToString(CultureInfo.InvariantCulture);

    private static readonly int GuardBytes = Environment.SystemPageSize;

    // What mmap(2), mprotect(2), mlock(2), madvise(2), memfd_create(2), ftruncate(2) and fcntl(2) list for
    // these uses.
    private static readonly Dictionary<int, string> ErrnoNames = new()
    {
        [EACCES] = nameof(EACCES),
        [EAGAIN] = nameof(EAGAIN),
        [EBADF] = nameof(EBADF),
        [EBUSY] = nameof(EBUSY),
        [EFAULT] = nameof(EFAULT),
        [EFBIG] = nameof(EFBIG),
        [EINVAL] = nameof(EINVAL),
        [EIO] = nameof(EIO),
        [EMFILE] = nameof(EMFILE),
        [ENFILE] = nameof(ENFILE),
        [ENODEV] = nameof(ENODEV),
        [ENOMEM] = nameof(ENOMEM),
        [ENOSYS] = nameof(ENOSYS),
        [EOVERFLOW] = nameof(EOVERFLOW),
        [EPERM] = nameof(EPERM),
    };

    // Not in Tmds.LibC. include/uapi/asm-generic/mman.h: MLOCK_ONFAULT (Linux 4.4).
    private const int LockOnFault = 1;

    private static int AnonymousFlags => MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
}
