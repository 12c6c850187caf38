using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Ktls.Handshake;

// Many handshakes sign with one key at the same time. OpenSSL allows that on one EVP_PKEY
// (openssl-threads(7)), .NET does not promise it of one ECDsa or RSA instance. So there is one native key,
// and each signer rents a managed instance of its own over it: nothing is locked while signing, and no second
// copy of the key exists.

/// <summary>A private key that many threads may sign with at once. Owns the key.</summary>
[SuppressMessage("Interoperability", "CA1416:Validate platform compatibility",
    Justification = "The product runs on Linux alone, where .NET's cryptography is OpenSSL.")]
internal sealed class SigningKey : IDisposable
{
    private readonly SafeEvpPKeyHandle _handle;
    private readonly bool _isRsa;
    private readonly AsymmetricAlgorithm?[] _idle = new AsymmetricAlgorithm?[Environment.ProcessorCount];
    private volatile bool _disposed;

    /// <summary>Takes <paramref name="key"/> over.</summary>
    /// <exception cref="CryptographicException">The key is not OpenSSL's and cannot be exported.</exception>
    public SigningKey(AsymmetricAlgorithm key)
    {
        using (key)
        {
            _isRsa = key is RSA;
            _handle = key switch
            {
                ECDsaOpenSsl ecdsa => ecdsa.DuplicateKeyHandle(),
                RSAOpenSsl rsa => rsa.DuplicateKeyHandle(),
                _ => Import(key),
            };
        }
    }

    /// <summary>Signs a hash: DER for ECDSA, as long as the modulus for RSA.</summary>
    /// <exception cref="ObjectDisposedException">The identity is gone.</exception>
    public byte[] Sign(SignatureScheme scheme, byte[] hash)
    {
        AsymmetricAlgorithm key = Rent();
        try
        {
            return key is RSA rsa
                ? rsa.SignHash(hash, scheme.Hash, scheme.Padding!)
                : ((ECDsa)key).SignHash(hash, DSASignatureFormat.Rfc3279DerSequence);
        }
        finally
        {
            Return(key);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _handle.Dispose();
        DisposeIdle();
    }

    private AsymmetricAlgorithm Rent()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        for (int i = 0; i < _idle.Length; i++)
        {
            if (Interlocked.Exchange(ref _idle[i], null) is { } key)
            {
                return key;
            }
        }

        return _isRsa ? new RSAOpenSsl(_handle) : new ECDsaOpenSsl(_handle);
    }

    // More instances than processors are of no use, so the surplus of a burst is dropped.
    private void Return(AsymmetricAlgorithm key)
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            if (Interlocked.CompareExchange(ref _idle[i], key, null) is null)
            {
                if (_disposed)
                {
                    DisposeIdle();
                }

                return;
            }
        }

        key.Dispose();
    }

    private void DisposeIdle()
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            Interlocked.Exchange(ref _idle[i], null)?.Dispose();
        }
    }

    private static SafeEvpPKeyHandle Import(AsymmetricAlgorithm key)
    {
        byte[] pkcs8 = key.ExportPkcs8PrivateKey();
        try
        {
            if (key is RSA)
            {
                using var rsa = new RSAOpenSsl();
                rsa.ImportPkcs8PrivateKey(pkcs8, out _);
                return rsa.DuplicateKeyHandle();
            }

            using var ecdsa = new ECDsaOpenSsl();
            ecdsa.ImportPkcs8PrivateKey(pkcs8, out _);
            return ecdsa.DuplicateKeyHandle();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }
}
