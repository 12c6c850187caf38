using System.Security.Cryptography;

namespace Aead.Pages;

// One slot of a page map: Hidden -> Exposed -> Hidden. Owned by the slot pool while free, by a decrypt stage
// while it is being filled, by an exposed lease while consumers read it. The writer view is for the stage
// alone; the exposed view is given out by the lease, which presents the generation it was made with: a lease
// from before the last Hide is refused.
internal sealed unsafe class GuardedSlot
{
    private readonly PageMap _map;
    private readonly int _index;
    private readonly byte* _writer;
    private readonly byte* _reader;
    private bool _exposed;
    private long _generation;

    internal GuardedSlot(PageMap map, int index)
    {
        _map = map;
        _index = index;
        _writer = (byte*)map.WriterAddress(index);
        _reader = (byte*)map.ReaderAddress(index);
    }

    internal int Bytes => _map.SlotBytes;

    /// <summary>Counts how often the slot was hidden again.</summary>
    internal long Generation => Volatile.Read(ref _generation);

    /// <summary>Where consumers will read, and where nobody can while the slot is hidden.</summary>
    internal nint ReaderAddress => (nint)_reader;

    /// <summary>The decryptor's view. Only the stage that owns the hidden slot may ask for it.</summary>
    internal Span<byte> WriterView()
    {
        Require(exposed: false);
        return new Span<byte>(_writer, Bytes);
    }

    /// <summary>The consumers' view, for the lease that was made at <paramref name="generation"/>.</summary>
    /// <exception cref="ObjectDisposedException">The slot was hidden since.</exception>
    internal Span<byte> ExposedView(long generation, int length)
    {
        ObjectDisposedException.ThrowIf(generation != Generation || !_exposed, typeof(ExposedPages));
        return new Span<byte>(_reader, Bytes)[..length];
    }

    /// <summary>
    /// Makes what the stage wrote readable. Everything beyond the verified bytes must be zero by now.
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

    /// <summary>Overwrites with zeros through the writer view, so never within sight of a consumer.</summary>
    internal void Zero(int start, int length) =>
        CryptographicOperations.ZeroMemory(WriterView().Slice(start, length));

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

    private void Require(bool exposed)
    {
        if (_exposed != exposed)
        {
            throw new InvalidOperationException(exposed ? "The slot is hidden." : "The slot is exposed.");
        }
    }
}
