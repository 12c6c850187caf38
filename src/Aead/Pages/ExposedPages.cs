using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Aead.Pages;

/// <summary>
/// A lease on verified plaintext, and the only way to it. Whoever holds one disposes it; a pin holds it too.
/// After that every span or pin taken of it throws <see cref="ObjectDisposedException"/>, a raw span kept
/// faults (flipped slot) or sees zeros (copy).
/// </summary>
// Made by a decrypt stage or a kernel read for what verified, and by Shrink for what is left of it. The state is one integer:
// bit 0 is the holder, each pin adds two. Whoever takes it to zero gives the memory back, and nobody can lift
// it from there again.
public sealed unsafe class ExposedPages : MemoryManager<byte>
{
    private readonly PagePool _pool;
    private readonly GuardedSlot? _slot;
    private readonly CopyBlock? _copy;
    private readonly long _generation;
    private int _state = Holder;

    internal ExposedPages(PagePool pool, GuardedSlot slot, int length)
    {
        _pool = pool;
        _slot = slot;
        _generation = slot.Generation;
        Length = length;
    }

    internal ExposedPages(PagePool pool, CopyBlock copy, int length)
    {
        _pool = pool;
        _copy = copy;
        _generation = copy.Generation;
        Length = length;
    }

    /// <summary>Verified bytes.</summary>
    public int Length { get; }

    /// <summary>True when the bytes lie in a guarded slot (and not in a verified copy).</summary>
    public bool HoldsSlot => _slot is not null;

    /// <summary>The verified bytes. Read-only when <see cref="HoldsSlot"/>: a write faults.</summary>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf((Volatile.Read(ref _state) & Holder) == 0, this);
        return View();
    }

    /// <summary>
    /// Keeps the bytes where they are, and readable, until the handle is disposed; also past the end of the
    /// lease.
    /// </summary>
    /// <param name="elementIndex">Where the handle points, from 0 to <see cref="Length"/>.</param>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, Length);
        AddPin();
        try
        {
            byte* start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(View()));
            return new MemoryHandle(start + elementIndex, handle: default, this);
        }
        catch
        {
            Unpin();
            throw;
        }
    }

    /// <summary>Ends one pin.</summary>
    /// <exception cref="InvalidOperationException">There was none.</exception>
    public override void Unpin()
    {
        int before = Volatile.Read(ref _state);
        int seen;
        do
        {
            seen = before;
            if (seen < OnePin)
            {
                throw new InvalidOperationException("Unpin without a pin.");
            }

            before = Interlocked.CompareExchange(ref _state, seen - OnePin, seen);
        }
        while (before != seen);

        if (seen == OnePin)
        {
            GiveBack();
        }
    }

    /// <summary>
    /// Moves what lies from <paramref name="start"/> on to a verified copy of just that size, so that the
    /// slot (or the larger block) comes back. This lease ends. Used when a consumer keeps a few bytes for
    /// long.
    /// </summary>
    /// <param name="start">The first byte to keep, from 0 to one below <see cref="Length"/>.</param>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public ExposedPages Shrink(int start) => Join([this], start);

    /// <summary>
    /// Moves what neighbours hold to one verified copy, so that many small leases do not pile up. The leases
    /// end.
    /// </summary>
    /// <param name="leases">
    /// In order, at least one; together at most <see cref="PagePool.JoinedBytesMax"/> bytes.
    /// </param>
    /// <param name="start">The first byte of the first lease to keep, from 0 to one below its length.</param>
    /// <exception cref="ObjectDisposedException">One of the leases has ended.</exception>
    public static ExposedPages Join(IReadOnlyList<ExposedPages> leases, int start)
    {
        ArgumentNullException.ThrowIfNull(leases);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(start, leases[0].Length);
        int length = leases.Sum(lease => lease.Length) - start;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, PagePool.JoinedBytesMax, nameof(leases));
        ExposedPages joined = leases[0]._pool.RentJoined(length);
        try
        {
            Span<byte> left = joined.View();
            foreach (ExposedPages lease in leases)
            {
                left = lease.MoveTo(left, start);
                start = 0;
            }

            return joined;
        }
        catch
        {
            joined.Dispose();
            throw;
        }
    }

    /// <summary>Ends the lease. Idempotent and thread-safe; the memory goes back with the last pin.</summary>
    public void Dispose() => Dispose(disposing: true);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // Nothing has the holder bit twice, so a second call finds it gone and does nothing.
        if (Interlocked.And(ref _state, ~Holder) == Holder)
        {
            GiveBack();
        }
    }

    private Span<byte> View() => _slot is not null
        ? _slot.ExposedView(_generation, Length)
        : _copy!.View(_generation, Length);

    private void AddPin()
    {
        int before = Volatile.Read(ref _state);
        int seen;
        do
        {
            seen = before;
            ObjectDisposedException.ThrowIf((seen & Holder) == 0, this);
            before = Interlocked.CompareExchange(ref _state, seen + OnePin, seen);
        }
        while (before != seen);
    }

    private Span<byte> MoveTo(Span<byte> destination, int start)
    {
        AddPin();
        try
        {
            View()[start..].CopyTo(destination);
            return destination[(Length - start)..];
        }
        finally
        {
            Dispose();
            Unpin();
        }
    }

    private void GiveBack()
    {
        if (_slot is not null)
        {
            _slot.TakeBack(Length);
        }
        else
        {
            _copy!.TakeBack(Length);
        }
    }

    private const int Holder = 1;
    private const int OnePin = 2;
}
