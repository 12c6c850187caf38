using Aead.Algorithms;
using Aead.Keys;

namespace Aead.Records;

/// <summary>
/// Protects the records of one direction, in place. Owns the direction's keys and its sequence number, which nobody else stores and
/// which never wraps. Not thread-safe: one writer owns a direction.
/// </summary>
public sealed class RecordEncryptor : IDisposable
{
    /// <summary>Takes <paramref name="keys"/> over.</summary>
    public RecordEncryptor(DirectionKeys keys) => throw null!;

    /// <summary>Bytes to leave before the fragment: header and, for TLS 1.2 GCM, the explicit nonce (5 or 13).</summary>
    public int PrefixLength => throw null!;

    /// <summary>Bytes to leave behind the fragment: tag and, for TLS 1.3, the content type (16 or 17).</summary>
    public int SuffixLength => throw null!;

    /// <summary>What the usage limit demands before the next record of data.</summary>
    public UsageAction Usage => throw null!;

    /// <summary>
    /// Encrypts the fragment at <paramref name="record"/>[PrefixLength..PrefixLength+fragmentLength] where it lies and writes header and tag around it.
    /// </summary>
    /// <param name="type">The true content type.</param>
    /// <param name="record">At least PrefixLength + fragmentLength + SuffixLength bytes.</param>
    /// <param name="fragmentLength">0 to 16 384 bytes.</param>
    /// <returns>Length of the whole record.</returns>
    /// <exception cref="InvalidOperationException">The usage limit says Close, or the sequence number is exhausted.</exception>
    public int Encrypt(ContentType type, Span<byte> record, int fragmentLength) => throw null!;

    /// <summary>TLS 1.3: the next keys, from the next record on. Call right after the KeyUpdate message has been encrypted.</summary>
    public void UpdateKeys() => throw null!;

    /// <inheritdoc/>
    public void Dispose() => throw null!;
}
