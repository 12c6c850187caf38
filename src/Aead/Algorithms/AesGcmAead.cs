using System.Security.Cryptography;

namespace Aead.Algorithms;

/// <summary>
/// AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 5116 §5.1, §5.2) by the platform's cryptographic library.
/// </summary>
/// <param name="key">16 or 32 bytes; the platform keeps its own copy.</param>
internal sealed class AesGcmAead(ReadOnlySpan<byte> key) : IAead
{
    private readonly AesGcm _aes = new(key, AeadAlgorithm.TagLength);

    public void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag) =>
        _aes.Encrypt(nonce, plaintext, ciphertext, tag, associatedData);

    public bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        bool verified = false;
        try
        {
            _aes.Decrypt(nonce, ciphertext, tag, plaintext, associatedData);
            verified = true;
        }
        catch (AuthenticationTagMismatchException)
        {
            // The platform zeroes too, but promises it nowhere.
            CryptographicOperations.ZeroMemory(plaintext);
        }

        if (!verified)
        {
            StackScrub.RunDeep();
        }

        return verified;
    }

    public void Dispose() => _aes.Dispose();
}
