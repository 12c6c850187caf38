using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Aead.Pages;

// The life of a slot:
//
//     free (hidden, zero) -- TryRent --> being filled (hidden) -- Settle --> free, or
//                                                              -- Settle --> exposed lease -- its end --> returned (hidden)
//     returned -- Tidy --> free
//
// Everything but the end of a lease happens on the loop's thread, because only that thread may ask the pinned
// writer to zero. So a lease that ends elsewhere hides its slot there and then, and leaves the zeroing to the
// loop, which it wakes.

/// <summary>
/// The hidden pages one event loop receives into by the kernel: a bounded number of slots that nobody can map
/// writable. Exhaustion never stalls: the last slot is never lent, what it receives is copied out.
/// </summary>
public sealed class PinnedPages : IDisposable
{
    private readonly PagePool _pool;
    private readonly CopyPool _copies;
    private bool _disposed;
    private readonly IPinnedWriter _writer;
    private readonly PageMap _map;
    private readonly Queue<PinnedSlot> _free = new();
    private readonly ConcurrentQueue<(PinnedSlot Slot, int Used)> _returned = new();
    private readonly Action _wakeLoop;
    private int _lent;

    private PinnedPages(PagePool pool, IPinnedWriter writer, PageMap map, Action wakeLoop)
    {
        _pool = pool;
        _copies = pool.OpenCopies();
        _writer = writer;
        _map = map;
        _wakeLoop = wakeLoop;
        for (int slot = 0; slot < map.SlotCount; slot++)
        {
            _free.Enqueue(new PinnedSlot(this, map, slot));
        }
    }

    /// <summary>Maps, pins and seals the slots.</summary>
    /// <param name="pool">Takes what has to be copied out.</param>
    /// <param name="writer">Not yet used for other pages.</param>
    /// <param name="slots">At least 2: one can then be lent.</param>
    /// <param name="wakeLoop">Called from any thread when a slot waits for <see cref="Tidy"/>.</param>
    /// <exception cref="PagePoolException">The kernel refused; nothing is left behind.</exception>
    public static PinnedPages Create(PagePool pool, IPinnedWriter writer, int slots, Action wakeLoop)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, SlotsMin);
        try
        {
            return new PinnedPages(pool, writer, PageMap.CreatePinned(slots, SlotBytes, writer), wakeLoop);
        }
        catch (PageMapException refused)
        {
            throw new PagePoolException($"Pinned pages cannot be had here: {refused.Message}", refused);
        }
    }

    /// <summary>All slots.</summary>
    public int Slots => _map.SlotCount;

    /// <summary>Slots that could be rented now. On the loop.</summary>
    public int SlotsFree => _free.Count;

    /// <summary>Slots that consumers hold, and those that wait to be zeroed.</summary>
    public int SlotsOut => Volatile.Read(ref _lent);

    /// <summary>A hidden, zeroed slot to fill, or none at the moment. On the loop.</summary>
    public bool TryRent([NotNullWhen(true)] out PinnedSlot? slot)
    {
        if (_free.Count == 0)
        {
            Tidy();
        }

        return _free.TryDequeue(out slot);
    }

    /// <summary>
    /// Takes a filled slot: zeroes everything behind the verified bytes while it is hidden, and exposes those
    /// if there are any. On the loop, after the read into the slot has completed.
    /// </summary>
    /// <param name="slot">Rented from here, and no longer the caller's afterwards.</param>
    /// <param name="verifiedLength">Bytes from the start on that the kernel reported as verified; 0 for a
    /// read that failed.</param>
    /// <param name="writtenLength">Bytes the read could have written to.</param>
    /// <returns>The lease, or null when nothing verified.</returns>
    public ExposedPages? Settle(PinnedSlot slot, int verifiedLength, int writtenLength)
    {
        ArgumentNullException.ThrowIfNull(slot);
        ArgumentOutOfRangeException.ThrowIfNegative(verifiedLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(verifiedLength, writtenLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(writtenLength, slot.Bytes);
        Zero(slot, verifiedLength, writtenLength - verifiedLength);
        if (verifiedLength == 0)
        {
            _free.Enqueue(slot);
            return null;
        }

        if (_free.Count == 0)
        {
            Tidy();
        }

        GuardedSlot pages = slot.Pages;
        pages.Expose();
        if (_free.Count > 0)
        {
            Interlocked.Increment(ref _lent);
            return new ExposedPages(_pool, pages, verifiedLength);
        }

        ExposedPages copy = _pool.CopyOut(pages.ExposedView(pages.Generation, verifiedLength), _copies);
        pages.Hide();
        Zero(slot, 0, verifiedLength);
        _free.Enqueue(slot);
        return copy;
    }

    /// <summary>Zeroes what came back and makes it free. On the loop, at the end of each turn.</summary>
    public void Tidy()
    {
        while (_returned.TryDequeue(out (PinnedSlot Slot, int Used) back))
        {
            Zero(back.Slot, 0, back.Used);
            _free.Enqueue(back.Slot);
            Interlocked.Decrement(ref _lent);
        }
    }

    /// <summary>
    /// Unmaps the slots, unless a lease is still out: unmapping its slot would turn a late reader into a reader of
    /// other memory, so all of them then stay, hidden, until the process ends.
    /// </summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _pool.CloseCopies(_copies);
        }

        Tidy();
        if (SlotsOut == 0)
        {
            _map.Dispose();
        }
    }

    /// <summary>The end of a lease, on whatever thread; the slot is hidden by now.</summary>
    internal void Return(PinnedSlot slot, int used)
    {
        _returned.Enqueue((slot, used));
        _wakeLoop();
    }

    private void Zero(PinnedSlot slot, int start, int length)
    {
        if (length > 0)
        {
            _writer.Zero(slot.TargetAddress + start, length);
        }
    }

    /// <summary>Bytes of one slot: four full records (RFC 8446 §5.1). A multiple of every page size Linux uses.</summary>
    public const int SlotBytes = 64 << 10;

    /// <summary>One to lend, and one to go on with.</summary>
    public const int SlotsMin = 2;
}
