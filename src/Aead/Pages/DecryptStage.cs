namespace Aead.Pages;

/// <summary>
/// Where one thread at a time decrypts: a hidden slot that is never lent past the call, and the choice to flip or to copy what verified.
/// </summary>
public sealed class DecryptStage : IDisposable
{
    internal DecryptStage() { }

    /// <summary>Bytes of plaintext one batch holds at most.</summary>
    public int Capacity => throw null!;

    internal Span<byte> Hidden => throw null!;

    internal ExposedPages? Expose(int verifiedLength, int writtenLength) => throw null!;

    /// <summary>Gives the slot back to the pool.</summary>
    public void Dispose() => throw null!;
}
