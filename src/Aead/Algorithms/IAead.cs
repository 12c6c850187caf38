namespace Aead.Algorithms;

/// <summary>Authenticated encryption under one key (RFC 5116 §2). Not thread-safe.</summary>
public interface IAead : IDisposable
{
    /// <summary>Encrypts; <paramref name="ciphertext"/> may be the same memory as <paramref name="plaintext"/>.</summary>
    void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag);

    /// <summary>Decrypts into <paramref name="plaintext"/>; false when the tag did not verify, and then the plaintext is zeroed.</summary>
    bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext);
}
