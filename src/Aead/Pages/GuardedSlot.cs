namespace Aead.Pages;

// One slot of a page map: Hidden -> Exposed -> Hidden. Owned by its pool while free, by whoever fills it while
// hidden, by an exposed lease while consumers read it. The exposed view is given out by the lease, which
// presents the generation it was made with: a lease from before the last Hide is refused. Who can write to a
// hidden slot, and how it is zeroed, is what its two kinds differ in.
internal abstract unsafe class GuardedSlot
{
    private readonly PageMap _map;
    private readonly int _index;
    private readonly byte* _reader;
    private bool _exposed;
    private long _generation;

    private protected GuardedSlot(PageMap map, int index)
    {
        _map = map;
        _index = index;
        _reader = (byte*)map.ReaderAddress(index);
    }

    internal int Bytes => _map.SlotBytes;

    /// <summary>Counts how often the slot was hidden again.</summary>
    internal long Generation => Volatile.Read(ref _generation);

    /// <summary>Where consumers will read, and where nobody can while the slot is hidden.</summary>
    internal nint ReaderAddress => (nint)_reader;

    /// <summary>The lease on the slot ended: hides it, and zeroes it where nobody watches the bytes go.</summary>
    /// <param name="used">Bytes from the start that may not be zero.</param>
    internal abstract void TakeBack(int used);

    /// <summary>The consumers' view, for the lease that was made at <paramref name="generation"/>.</summary>
    /// <exception cref="ObjectDisposedException">The slot was hidden since.</exception>
    internal Span<byte> ExposedView(long generation, int length)
    {
        ObjectDisposedException.ThrowIf(generation != Generation || !_exposed, typeof(ExposedPages));
        return new Span<byte>(_reader, Bytes)[..length];
    }

    /// <summary>
    /// Makes what was written readable. Everything beyond the verified bytes must be zero by now.
    /// </summary>
    internal void Expose()
    {
        Require(exposed: false);
        Protect(expose: true);
        _exposed = true;
    }

    /// <summary>Takes the slot from its consumers: a span kept past this faults.</summary>
    internal void Hide()
    {
        Require(exposed: true);
        _exposed = false;
        Interlocked.Increment(ref _generation);
        Protect(expose: false);
    }

    private void Protect(bool expose)
    {
        try
        {
            if (expose)
            {
                _map.Expose(_index);
            }
            else
            {
                _map.Hide(_index);
            }
        }
        catch (PageMapException refused)
        {
            // The range is one whole mapping of ours, so a refusal means that the map is not what we believe.
            // Going on could leave plaintext readable, or lend the slot twice.
            Environment.FailFast($"Page guard lost, the process cannot go on: {refused.Message}", refused);
        }
    }

    private protected void Require(bool exposed)
    {
        if (_exposed != exposed)
        {
            throw new InvalidOperationException(exposed ? "The slot is hidden." : "The slot is exposed.");
        }
    }
}
