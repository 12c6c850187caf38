using System.Security.Cryptography;

namespace Aead.Algorithms;

/// <summary>An AEAD by libcrypto (RFC 5116 §5.1 and §5.2, RFC 8439 §2.8), in both directions.</summary>
internal sealed class EvpAead : IAead
{
    private readonly EvpCipherContext _context;
    private readonly bool _leavesKeyOnStack;

    /// <param name="cipher">Which.</param>
    /// <param name="key">As long as the cipher's; libcrypto keeps its own copy.</param>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    /// <exception cref="CryptographicException">OpenSSL has no such cipher, or made no context.</exception>
    /// <exception cref="PlatformNotSupportedException">The runtime's OpenSSL is another library.</exception>
    public EvpAead(EvpCipher cipher, ReadOnlySpan<byte> key)
    {
        _context = cipher.CreateContext(key);
        _leavesKeyOnStack = cipher.LeavesKeyOnStack;

        // Expanding and copying a key goes through registers.
        StackScrub.Run();
    }

    public void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext,
        Span<byte> tag)
    {
        CheckLengths(nonce, plaintext, ciphertext, tag);
        bool held = false;
        try
        {
            _context.DangerousAddRef(ref held);
            EvpCipher.Encrypt(_context.DangerousGetHandle(), nonce, associatedData, plaintext, ciphertext, tag);
        }
        finally
        {
            if (held)
            {
                _context.DangerousRelease();
            }
        }

        if (_leavesKeyOnStack)
        {
            StackScrub.Run();
        }
    }

    public bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag,
        Span<byte> plaintext)
    {
        CheckLengths(nonce, ciphertext, plaintext, tag);
        bool held = false;
        bool verified = false;
        try
        {
            _context.DangerousAddRef(ref held);
            verified = EvpCipher.TryDecrypt(_context.DangerousGetHandle(), nonce, associatedData, ciphertext, tag, plaintext);
        }
        finally
        {
            if (!verified)
            {
                CryptographicOperations.ZeroMemory(plaintext);
            }

            if (held)
            {
                _context.DangerousRelease();
            }
        }

        // Whoever ends the connection over a bad record throws, and that saves all registers.
        if (!verified || _leavesKeyOnStack)
        {
            StackScrub.Run();
        }

        return verified;
    }

    public void Dispose() => _context.Dispose();

    private static void CheckLengths(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, ReadOnlySpan<byte> tag)
    {
        Require(nonce.Length == AeadAlgorithm.NonceLength, "A nonce has 12 bytes.", nameof(nonce));
        Require(tag.Length == AeadAlgorithm.TagLength, "A tag has 16 bytes.", nameof(tag));
        Require(from.Length == to.Length, "Plaintext and ciphertext have one length.", nameof(to));
    }

    private static void Require(bool condition, string message, string parameter)
    {
        if (!condition)
        {
            throw new ArgumentException(message, parameter);
        }
    }
}
