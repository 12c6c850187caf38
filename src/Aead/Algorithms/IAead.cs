namespace Aead.Algorithms;

/// <summary>Authenticated encryption under one key (RFC 5116 §2). Not thread-safe.</summary>
/// <remarks>
/// Nonces are <see cref="AeadAlgorithm.NonceLength"/> bytes, tags <see cref="AeadAlgorithm.TagLength"/>.
/// </remarks>
public interface IAead : IDisposable
{
    /// <summary>
    /// Encrypts; <paramref name="ciphertext"/> may be the same memory as <paramref name="plaintext"/>.
    /// </summary>
    /// <param name="nonce">12 bytes, never used before under this key.</param>
    /// <param name="associatedData">Authenticated, not encrypted.</param>
    /// <param name="plaintext">Any length.</param>
    /// <param name="ciphertext">As long as the plaintext.</param>
    /// <param name="tag">16 bytes.</param>
    void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext,
        Span<byte> ciphertext, Span<byte> tag);

    /// <summary>
    /// Decrypts into <paramref name="plaintext"/>; false when the tag did not verify, and then the plaintext
    /// is zeroed.
    /// </summary>
    /// <param name="nonce">12 bytes.</param>
    /// <param name="associatedData">What the sender authenticated.</param>
    /// <param name="ciphertext">Any length.</param>
    /// <param name="tag">16 bytes.</param>
    /// <param name="plaintext">As long as the ciphertext, and possibly the same memory.</param>
    bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext);
}
