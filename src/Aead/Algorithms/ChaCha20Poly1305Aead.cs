using System.Security.Cryptography;

namespace Aead.Algorithms;

/// <summary>AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8) by the platform's cryptographic library.</summary>
/// <param name="key">32 bytes; the platform keeps its own copy.</param>
internal sealed class ChaCha20Poly1305Aead(ReadOnlySpan<byte> key) : IAead
{
    private readonly ChaCha20Poly1305 _chaCha = new(key);

    public void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag)
    {
        _chaCha.Encrypt(nonce, plaintext, ciphertext, tag, associatedData);
        StackScrub.Run();
    }

    public bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        bool verified = false;
        try
        {
            _chaCha.Decrypt(nonce, ciphertext, tag, plaintext, associatedData);
            verified = true;
        }
        catch (AuthenticationTagMismatchException)
        {
            // The platform zeroes too, but promises it nowhere.
            CryptographicOperations.ZeroMemory(plaintext);
        }

        if (verified)
        {
            StackScrub.Run();
        }
        else
        {
            StackScrub.RunDeep();
        }

        return verified;
    }

    public void Dispose() => _chaCha.Dispose();
}
