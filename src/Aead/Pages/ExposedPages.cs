using System.Buffers;

namespace Aead.Pages;

/// <summary>
/// A lease on verified plaintext, and the only way to it. Whoever holds one disposes it; a pin holds it too. After that every span or pin
/// taken of it throws <see cref="ObjectDisposedException"/>, a raw span kept faults (flipped slot) or sees zeros (copy).
/// </summary>
public sealed class ExposedPages : MemoryManager<byte>
{
    internal ExposedPages() { }

    /// <summary>Verified bytes.</summary>
    public int Length => throw null!;

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => throw null!;

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => throw null!;

    /// <inheritdoc/>
    public override void Unpin() => throw null!;

    /// <summary>True when the bytes lie in a guarded slot (and not in a verified copy).</summary>
    public bool HoldsSlot => throw null!;

    /// <summary>
    /// Moves what lies from <paramref name="start"/> on to a verified copy of just that size, so that the slot (or the larger block) comes back.
    /// This lease ends. Used when a consumer keeps a few bytes for long.
    /// </summary>
    public ExposedPages Shrink(int start) => throw null!;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => throw null!;
}
