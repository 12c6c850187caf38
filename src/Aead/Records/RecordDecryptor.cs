using Aead.Algorithms;
using Aead.Keys;
using Aead.Pages;

namespace Aead.Records;

/// <summary>
/// Opens the records of one direction into hidden pages and exposes only what verified. Owns the direction's keys and sequence number.
/// A rejection is final: every further call gives it again. Not thread-safe.
/// </summary>
public sealed class RecordDecryptor : IDisposable
{
    /// <summary>Takes <paramref name="keys"/> over.</summary>
    public RecordDecryptor(DirectionKeys keys) => throw null!;

    /// <summary>What the usage limit demands of the peer's key.</summary>
    public UsageAction Usage => throw null!;

    /// <summary>
    /// Decrypts the complete records at the front of <paramref name="ciphertext"/>, as many as fit the stage's slot, up to and including the first
    /// control record or the first bad one, and exposes the application data of the good ones in one step.
    /// </summary>
    public DecryptedBatch Decrypt(ReadOnlySpan<byte> ciphertext, DecryptStage stage) => throw null!;

    /// <summary>TLS 1.3: the peer's next keys, from the next record on.</summary>
    public void UpdateKeys() => throw null!;

    /// <inheritdoc/>
    public void Dispose() => throw null!;
}
