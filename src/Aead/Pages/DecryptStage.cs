namespace Aead.Pages;

/// <summary>
/// Where one thread at a time decrypts: a hidden slot that is never lent past the call, and the choice to
/// flip or to copy what verified.
/// </summary>
public sealed class DecryptStage : IDisposable
{
    private readonly PagePool _pool;
    private readonly CopyPool _copies;
    private StageSlot? _slot;

    internal DecryptStage(PagePool pool, StageSlot slot, CopyPool copies)
    {
        _pool = pool;
        _slot = slot;
        _copies = copies;
    }

    /// <summary>Bytes of plaintext one batch holds at most.</summary>
    public int Capacity => Slot.Bytes;

    /// <summary>
    /// The writer's view of the hidden slot, <see cref="Capacity"/> bytes. For the record decryptor only, and
    /// only until the next <see cref="Expose"/>: after a flip these bytes belong to consumers.
    /// </summary>
    internal Span<byte> Hidden => Slot.WriterView();

    /// <summary>The address consumers would read the slot at; nothing is readable there.</summary>
    internal nint ReaderAddress => Slot.ReaderAddress;

    private StageSlot Slot => _slot ?? throw new ObjectDisposedException(nameof(DecryptStage));

    /// <summary>
    /// Zeroes what was written but did not verify, while it is still hidden, and then exposes what did.
    /// </summary>
    /// <param name="verifiedLength">Bytes from the start of <see cref="Hidden"/> on whose tags all
    /// verified.</param>
    /// <param name="writtenLength">Bytes that were written in all, at least
    /// <paramref name="verifiedLength"/>.</param>
    /// <returns>The lease, or null when nothing verified.</returns>
    internal ExposedPages? Expose(int verifiedLength, int writtenLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(verifiedLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(verifiedLength, writtenLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(writtenLength, Capacity);
        Slot.Zero(verifiedLength, writtenLength - verifiedLength);
        if (verifiedLength == 0)
        {
            return null;
        }

        StageSlot? replacement = _pool.Policy.Flips(verifiedLength) ? _pool.RentForFlip() : null;
        return replacement is null ? Copy(verifiedLength) : Flip(verifiedLength, replacement);
    }

    /// <summary>
    /// A lease on a copy of bytes that the kernel has verified in its own memory before it gave them to this
    /// process. For its record source only, and only where that order is certain: TLS 1.3 by recvmsg.
    /// </summary>
    public ExposedPages CopyVerified(ReadOnlySpan<byte> verified) => _pool.CopyOut(verified, _copies);

    /// <summary>Gives the slot back to the pool. Idempotent.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _slot, null) is { } slot)
        {
            _pool.TakeBackStage(slot, _copies);
        }
    }

    private ExposedPages Flip(int verifiedLength, StageSlot replacement)
    {
        StageSlot flipped = Slot;
        _slot = replacement;
        flipped.Expose();
        return new ExposedPages(_pool, flipped, verifiedLength);
    }

    private ExposedPages Copy(int verifiedLength)
    {
        ExposedPages copy = _pool.CopyOut(Hidden[..verifiedLength], _copies);
        Slot.Zero(0, verifiedLength);
        return copy;
    }
}
