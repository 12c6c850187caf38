using System.Buffers;
using Aead.Pages;

namespace Ktls.Transport;

/// <summary>
/// The verified bytes a consumer has not consumed: a chain of leases, each given back as soon as it is wholly consumed. Positions are absolute
/// indices, because the end of one segment and the start of the next are the same place.
/// </summary>
internal sealed class PageChain
{
    private PageSegment? _first;
    private PageSegment? _last;
    private long _consumed;
    private long _examined;
    private long _end;
    private int _segments;
    private int _slots;

    /// <summary>Bytes held.</summary>
    public long Length => _end - _consumed;

    /// <summary>True when there are bytes the consumer has not looked at.</summary>
    public bool HasUnexamined => _end > _examined;

    /// <summary>Since when the first lease is held, in <see cref="Environment.TickCount64"/>; 0 when none is. Any thread.</summary>
    public long OldestTick => Volatile.Read(ref _first)?.SinceTick ?? 0;

    /// <summary>Everything held.</summary>
    public ReadOnlySequence<byte> Sequence => _first == null
        ? default
        : new ReadOnlySequence<byte>(_first, (int)(_consumed - _first.RunningIndex), _last!, _last!.Memory.Length);

    /// <summary>Adds a lease behind the others and owns it from here on.</summary>
    public void Append(ExposedPages pages) => Append(pages, Environment.TickCount64);

    /// <summary>The consumer is done up to one position and has looked up to another.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Positions of another buffer, or out of order.</exception>
    public void Advance(SequencePosition consumed, SequencePosition examined)
    {
        long consumedIndex = IndexOf(consumed, _consumed);
        long examinedIndex = IndexOf(examined, _examined);
        ArgumentOutOfRangeException.ThrowIfLessThan(consumedIndex, _consumed, nameof(consumed));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(consumedIndex, _end, nameof(consumed));
        ArgumentOutOfRangeException.ThrowIfLessThan(examinedIndex, consumedIndex, nameof(examined));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(examinedIndex, _end, nameof(examined));
        _consumed = consumedIndex;
        _examined = examinedIndex;
        ReleaseConsumed();
    }

    /// <summary>
    /// Moves what is held to few copies of just its size. Called when a consumer keeps a part of a message until its rest arrives: a few bytes
    /// must not hold a slot or a large block meanwhile, and a client that sends them one by one must not make a long chain.
    /// </summary>
    public void Shrink()
    {
        PageSegment? old = _first;
        int start = (int)(_consumed - old!.RunningIndex);
        List<ExposedPages> neighbours = [];
        (_first, _last, _segments, _slots, _end) = (null, null, 0, 0, _consumed);
        while (old != null)
        {
            long sinceTick = old.SinceTick;
            neighbours.Clear();
            for (int bytes = old.Pages.Length; old != null && bytes <= PagePool.JoinedBytesMax; bytes += old?.Pages.Length ?? 0)
            {
                neighbours.Add(old.Pages);
                old = old.Following;
            }

            Append(ExposedPages.Join(neighbours, start), sinceTick);
            start = 0;
        }
    }

    /// <summary>True when a lease of the chain lies in a guarded slot.</summary>
    public bool HoldsSlot => _slots > 0;

    /// <summary>True when there are many more leases than their bytes need: joining them pays.</summary>
    public bool IsCrumbled => _segments > SegmentsMin + (2 * Length / PagePool.JoinedBytesMax);

    /// <summary>Gives everything back.</summary>
    public void Clear()
    {
        _consumed = _examined = _end;
        ReleaseConsumed();
    }

    private void Append(ExposedPages pages, long sinceTick)
    {
        PageSegment segment = new(pages, _end, sinceTick);
        if (_last == null)
        {
            _first = segment;
        }
        else
        {
            _last.Following = segment;
        }

        _last = segment;
        _end = segment.EndIndex;
        _segments++;
        _slots += pages.HoldsSlot ? 1 : 0;
    }

    private void ReleaseConsumed()
    {
        while (_first != null && _first.EndIndex <= _consumed)
        {
            PageSegment done = _first;
            _first = done.Following;
            _segments--;
            _slots -= done.Pages.HoldsSlot ? 1 : 0;
            done.Pages.Dispose();
        }

        if (_first == null)
        {
            _last = null;
        }
    }

    // The positions of an empty buffer carry no segment: they mean where we are.
    private static long IndexOf(SequencePosition position, long ofEmpty) =>
        position.GetObject() is PageSegment segment ? segment.RunningIndex + position.GetInteger() : ofEmpty;

    // A chain this short is walked as fast as it is joined.
    private const int SegmentsMin = 16;
}
