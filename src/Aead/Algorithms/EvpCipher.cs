using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Aead.Algorithms;

// All native calls of the record layer's AEADs. .NET's AesGcm and ChaCha20Poly1305 make the same ones, but clear the error queue before each, take a
// reference to a handle around each, and throw and catch when a tag does not verify: a twentieth of what the proxy does. Here a record is one
// method with its buffers pinned once, pointers never leave this file, and the error queue is cleared only after a call that failed.
//
// Every call lets the collector run meanwhile (no SuppressGCTransition). Not to would save some 20 ns of a record's 320 and more, and what a
// configured provider does in a call, and for how long, nobody knows.

/// <summary>One AEAD under one key: libcrypto's EVP_CIPHER_CTX, which overwrites its key when it is freed.</summary>
internal sealed class EvpCipherContext : SafeHandle
{
    internal EvpCipherContext(nint context)
        : base(invalidHandleValue: 0, ownsHandle: true) => SetHandle(context);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        EvpCipher.Free(handle);
        return true;
    }
}

/// <summary>An AEAD of libcrypto. Thread-safe; its contexts are not.</summary>
/// <param name="name">OpenSSL's name of it.</param>
/// <param name="leavesKeyOnStack">Whether each call leaves its key in stack frames that have returned (<see cref="StackScrub"/>).</param>
internal sealed unsafe partial class EvpCipher(string name, bool leavesKeyOnStack)
{
    // Looked up once, for a look-up takes locks and as long as a record; never freed.
    private readonly Lazy<nint> _cipher = new(() => Fetch(name));

    /// <summary>AES-128 in GCM.</summary>
    public static EvpCipher Aes128Gcm { get; } = new("AES-128-GCM", leavesKeyOnStack: false);

    /// <summary>AES-256 in GCM.</summary>
    public static EvpCipher Aes256Gcm { get; } = new("AES-256-GCM", leavesKeyOnStack: false);

    /// <summary>ChaCha20-Poly1305 of RFC 8439.</summary>
    public static EvpCipher ChaCha20Poly1305 { get; } = new("ChaCha20-Poly1305", leavesKeyOnStack: true);

    /// <summary>Whether each call leaves its key in stack frames that have returned.</summary>
    public bool LeavesKeyOnStack => leavesKeyOnStack;

    /// <summary>OPENSSL_VERSION_NUMBER(3) of the library that is called here.</summary>
    public static long LibraryVersion => (long)OpenSSL_version_num();

    /// <summary>A context under <paramref name="key"/>, which is not kept.</summary>
    /// <exception cref="ArgumentException">The key has another length than the cipher's.</exception>
    /// <exception cref="CryptographicException">OpenSSL has no such cipher, or made no context.</exception>
    /// <exception cref="PlatformNotSupportedException">The runtime's OpenSSL is another library.</exception>
    public EvpCipherContext CreateContext(ReadOnlySpan<byte> key)
    {
        nint cipher = _cipher.Value;
        if (key.Length != EVP_CIPHER_get_key_length(cipher))
        {
            throw new ArgumentException($"{name} takes no key of {key.Length} bytes.", nameof(key));
        }

        EvpCipherContext context = new(EVP_CIPHER_CTX_new());
        if (context.IsInvalid)
        {
            throw Failure(nameof(EVP_CIPHER_CTX_new));
        }

        fixed (byte* keyBytes = key)
        {
            if (EVP_CipherInit_ex(context.DangerousGetHandle(), cipher, 0, keyBytes, null, Encrypting) != 1)
            {
                context.Dispose();
                throw Failure(nameof(EVP_CipherInit_ex));
            }
        }

        return context;
    }

    /// <summary>Encrypts one record. The caller has checked all lengths and holds the context.</summary>
    /// <exception cref="CryptographicException">OpenSSL failed; the message names the call.</exception>
    public static void Encrypt(nint context, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext,
        Span<byte> ciphertext, Span<byte> tag)
    {
        fixed (byte* nonceBytes = nonce, associated = associatedData, from = plaintext, to = ciphertext, tagBytes = tag)
        {
            Begin(context, nonceBytes, Encrypting, associated, associatedData.Length);
            Update(context, to, from, plaintext.Length);
            int written;
            byte* rest = stackalloc byte[AeadAlgorithm.TagLength];
            if (EVP_CipherFinal_ex(context, rest, &written) != 1)
            {
                throw Failure(nameof(EVP_CipherFinal_ex));
            }

            if (EVP_CIPHER_CTX_ctrl(context, GetTag, AeadAlgorithm.TagLength, tagBytes) != 1)
            {
                throw Failure(nameof(EVP_CIPHER_CTX_ctrl));
            }
        }
    }

    /// <summary>
    /// Decrypts one record; false when the tag did not verify. What it wrote then, or before it threw, is the caller's to zero, as are lengths and
    /// context to check and hold.
    /// </summary>
    /// <exception cref="CryptographicException">OpenSSL failed; the message names the call.</exception>
    public static bool TryDecrypt(nint context, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext,
        ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        fixed (byte* nonceBytes = nonce, associated = associatedData, from = ciphertext, to = plaintext, tagBytes = tag)
        {
            Begin(context, nonceBytes, Decrypting, associated, associatedData.Length);
            Update(context, to, from, ciphertext.Length);
            if (EVP_CIPHER_CTX_ctrl(context, SetTag, AeadAlgorithm.TagLength, tagBytes) != 1)
            {
                throw Failure(nameof(EVP_CIPHER_CTX_ctrl));
            }

            int written;
            byte* rest = stackalloc byte[AeadAlgorithm.TagLength];
            bool verified = EVP_CipherFinal_ex(context, rest, &written) == 1;
            if (!verified)
            {
                ERR_clear_error();
            }

            return verified;
        }
    }

    internal static void Free(nint context) => EVP_CIPHER_CTX_free(context);

    private static nint Fetch(string name)
    {
        LibCryptoLibrary.Require();
        nint cipher = EVP_CIPHER_fetch(0, name, null);
        if (cipher == 0)
        {
            throw Failure($"{nameof(EVP_CIPHER_fetch)} of {name}");
        }

        // The buffers are of these lengths whatever the library thinks.
        return EVP_CIPHER_get_iv_length(cipher) == AeadAlgorithm.NonceLength
            ? cipher
            : throw new CryptographicException($"OpenSSL's {name} takes no nonce of {AeadAlgorithm.NonceLength} bytes.");
    }

    private static void Begin(nint context, byte* nonce, int direction, byte* associatedData, int length)
    {
        if (EVP_CipherInit_ex(context, 0, 0, null, nonce, direction) != 1)
        {
            throw Failure(nameof(EVP_CipherInit_ex));
        }

        int written;
        if (length > 0 && EVP_CipherUpdate(context, null, &written, associatedData, length) != 1)
        {
            throw Failure($"{nameof(EVP_CipherUpdate)} of associated data");
        }
    }

    // Without data OpenSSL would take a null destination for associated data.
    private static void Update(nint context, byte* to, byte* from, int length)
    {
        int written;
        if (length > 0 && (EVP_CipherUpdate(context, to, &written, from, length) != 1 || written != length))
        {
            throw Failure(nameof(EVP_CipherUpdate));
        }
    }

    // What OpenSSL noted would be taken for the reason of a later failure, .NET's included.
    private static CryptographicException Failure(string call)
    {
        ERR_clear_error();
        return new CryptographicException($"OpenSSL failed in {call}.");
    }

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial nuint OpenSSL_version_num();

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial void ERR_clear_error();

    [LibraryImport(LibCryptoLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint EVP_CIPHER_fetch(nint libraryContext, string algorithm, string? properties);

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial int EVP_CIPHER_get_key_length(nint cipher);

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial int EVP_CIPHER_get_iv_length(nint cipher);

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial nint EVP_CIPHER_CTX_new();

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial void EVP_CIPHER_CTX_free(nint context);

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial int EVP_CipherInit_ex(nint context, nint cipher, nint engine, byte* key, byte* nonce, int direction);

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial int EVP_CipherUpdate(nint context, byte* to, int* written, byte* from, int length);

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial int EVP_CIPHER_CTX_ctrl(nint context, int command, int argument, byte* buffer);

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial int EVP_CipherFinal_ex(nint context, byte* to, int* written);

    private const int Encrypting = 1;
    private const int Decrypting = 0;

    // EVP_CTRL_AEAD_GET_TAG and EVP_CTRL_AEAD_SET_TAG of evp.h.
    private const int GetTag = 0x10;
    private const int SetTag = 0x11;
}
