using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Aead.Algorithms;

namespace Ktls.Handshake;

// .NET takes a key apart into managed numbers and arrays before OpenSSL gets it, and those stay on the heap. OpenSSL can read it by itself.

/// <summary>Takes a private key straight to where it is used.</summary>
[SuppressMessage("Interoperability", "CA1416:Validate platform compatibility",
    Justification = "The product runs on Linux alone, where .NET's cryptography is OpenSSL.")]
public static class PrivateKeyImport
{
    /// <summary>An ECDSA or RSA key that lies in OpenSSL's memory alone.</summary>
    /// <param name="der">PKCS#8 without encryption, SEC 1 or PKCS#1; the caller's to overwrite.</param>
    /// <returns>Null when this is no such key, or libcrypto.so.3 is not the platform's library.</returns>
    public static AsymmetricAlgorithm? FromDer(ReadOnlySpan<byte> der)
    {
        nint key = LibCryptoLibrary.IsTheRuntimes ? LibCrypto.ReadPrivateKey(der) : 0;
        if (key == 0)
        {
            return null;
        }

        using SafeEvpPKeyHandle handle = new(key, ownsHandle: true);
        try
        {
            return new ECDsaOpenSsl(handle);
        }
        catch (CryptographicException)
        {
            // Another kind.
        }

        try
        {
            return new RSAOpenSsl(handle);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
