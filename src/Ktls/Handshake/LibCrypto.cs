using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Aead.Algorithms;

namespace Ktls.Handshake;

// The key agreement of libcrypto.so.3, the library .NET has already loaded for all other cryptography: .NET
// offers no X25519, and its ECDiffieHellman converts keys several times per agreement. Six small calls on
// inputs of fixed length; lengths are checked before, pointers never leave this file, and OpenSSL's error
// queue is left empty.

/// <summary>An ephemeral key pair of libcrypto.</summary>
internal sealed class LibCryptoKey : SafeHandle
{
    /// <summary>For the marshaller.</summary>
    public LibCryptoKey() : base(invalidHandleValue: 0, ownsHandle: true)
    {
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        LibCrypto.Free(handle);
        return true;
    }
}

/// <summary>Key agreement by libcrypto. Thread-safe; one key belongs to one handshake.</summary>
internal static partial class LibCrypto
{
    /// <summary>A new key pair.</summary>
    /// <param name="algorithm">X25519 or EC.</param>
    /// <param name="group">The curve of EC, else null.</param>
    /// <exception cref="CryptographicException">OpenSSL could not make one.</exception>
    public static LibCryptoKey Generate(string algorithm, string? group)
    {
        nint context = EVP_PKEY_CTX_new_from_name(0, algorithm, 0);
        try
        {
            LibCryptoKey? key = null;
            if (context == 0
                || EVP_PKEY_keygen_init(context) != 1
                || (group is not null && EVP_PKEY_CTX_set_group_name(context, group) != 1)
                || EVP_PKEY_generate(context, out key) != 1)
            {
                key?.Dispose();
                ERR_clear_error();
                throw new CryptographicException($"libcrypto made no {group ?? algorithm} key.");
            }

            return key;
        }
        finally
        {
            EVP_PKEY_CTX_free(context);
        }
    }

    /// <summary>
    /// Writes the public key in its TLS form: 32 bytes for X25519, an uncompressed point for EC.
    /// </summary>
    /// <exception cref="CryptographicException">
    /// It is not as long as <paramref name="destination"/>.
    /// </exception>
    public static void WritePublicKey(LibCryptoKey key, Span<byte> destination)
    {
        if (EVP_PKEY_get_octet_string_param(key, "encoded-pub-key", destination, (nuint)destination.Length,
                out nuint written) != 1 || written != (nuint)destination.Length)
        {
            ERR_clear_error();
            throw new CryptographicException("libcrypto did not encode the public key.");
        }
    }

    /// <summary>
    /// The shared secret; false when the peer's key is no valid public key (off the curve, infinity, or a
    /// point whose X25519 result is all zero).
    /// </summary>
    public static bool TryDerive(LibCryptoKey key, ReadOnlySpan<byte> peerKey, Span<byte> secret)
    {
        nint peer = EVP_PKEY_new();
        nint context = EVP_PKEY_CTX_new(key, 0);
        try
        {
            nuint length = (nuint)secret.Length;
            bool derived = peer != 0
                && context != 0
                && EVP_PKEY_copy_parameters(peer, key) == 1
                && EVP_PKEY_set1_encoded_public_key(peer, peerKey, (nuint)peerKey.Length) == 1
                && EVP_PKEY_derive_init(context) == 1
                && EVP_PKEY_derive_set_peer(context, peer) == 1
                && EVP_PKEY_derive(context, secret, ref length) == 1
                && length == (nuint)secret.Length;
            if (!derived)
            {
                ERR_clear_error();
            }

            return derived;
        }
        finally
        {
            EVP_PKEY_CTX_free(context);
            EVP_PKEY_free(peer);
        }
    }

    /// <summary>Reads DER in any of OpenSSL's forms; 0 when it is none. The caller frees the key.</summary>
    internal static nint ReadPrivateKey(ReadOnlySpan<byte> der)
    {
        nint memory = BIO_new_mem_buf(der, der.Length);
        nint key = memory == 0 ? 0 : d2i_PrivateKey_bio(memory, 0);
        _ = BIO_free(memory);
        ERR_clear_error();
        return key;
    }

    internal static void Free(nint key) => EVP_PKEY_free(key);

    [LibraryImport(Library)]
    private static partial void ERR_clear_error();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint EVP_PKEY_CTX_new_from_name(nint libraryContext, string name, nint properties);

    [LibraryImport(Library)]
    private static partial nint EVP_PKEY_CTX_new(LibCryptoKey key, nint engine);

    [LibraryImport(Library)]
    private static partial void EVP_PKEY_CTX_free(nint context);

    [LibraryImport(Library)]
    private static partial int EVP_PKEY_keygen_init(nint context);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int EVP_PKEY_CTX_set_group_name(nint context, string name);

    [LibraryImport(Library)]
    private static partial int EVP_PKEY_generate(nint context, out LibCryptoKey key);

    [LibraryImport(Library)]
    private static partial nint EVP_PKEY_new();

    [LibraryImport(Library)]
    private static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library)]
    private static partial int EVP_PKEY_copy_parameters(nint to, LibCryptoKey from);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int EVP_PKEY_get_octet_string_param(LibCryptoKey key, string name,
        Span<byte> buffer, nuint bufferLength, out nuint written);

    [LibraryImport(Library)]
    private static partial int EVP_PKEY_set1_encoded_public_key(nint key, ReadOnlySpan<byte> encoded,
        nuint length);

    [LibraryImport(Library)]
    private static partial int EVP_PKEY_derive_init(nint context);

    [LibraryImport(Library)]
    private static partial int EVP_PKEY_derive_set_peer(nint context, nint peer);

    [LibraryImport(Library)]
    private static partial int EVP_PKEY_derive(nint context, Span<byte> secret, ref nuint length);

    // The buffer stays the caller's, and pinned: the call copies nothing, so it must be an array that does not move until BIO_free.
    [LibraryImport(Library)]
    private static partial nint BIO_new_mem_buf(ReadOnlySpan<byte> buffer, int length);

    [LibraryImport(Library)]
    private static partial nint d2i_PrivateKey_bio(nint memory, nint key);

    [LibraryImport(Library)]
    private static partial int BIO_free(nint memory);

    private const string Library = LibCryptoLibrary.Name;
}
