using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl;

namespace Ktls.Handshake;

/// <summary>
/// A secret whose derivations run in the platform's library and whose bytes are zeroed when it ends.
/// </summary>
/// <param name="crypto">What made it.</param>
/// <param name="data">One of <see cref="SecretArrays"/>.</param>
internal sealed class PlatformSecret(PlatformCrypto crypto, byte[] data)
    : AbstractTlsSecret(data), IDisposable
{
    protected override AbstractTlsCrypto Crypto => crypto;

    public void Dispose() => Destroy();

    public override void Destroy()
    {
        if (m_data is { } data)
        {
            m_data = null;
            SecretArrays.Return(data);
        }
    }

    /// <summary>The same secret once more, with a life of its own.</summary>
    public PlatformSecret Copy()
    {
        CheckAlive();
        return crypto.AdoptCopy(m_data);
    }

    public override byte[] CalculateHmac(int cryptoHashAlgorithm, byte[] buf, int off, int len)
    {
        CheckAlive();
        return CryptographicOperations.HmacData(
            PlatformCrypto.HashName(cryptoHashAlgorithm), m_data, buf.AsSpan(off, len));
    }

    // RFC 5869 §2.2: this secret is the salt and ends; the input keying material lives on, as BouncyCastle
    // extracts twice from the same string of zeros. HKDF-Extract is HMAC with the salt as its key, and is asked for as that: OpenSSL cleanses the
    // key of an HMAC when it frees it, but not the salt of its HKDF, and in TLS 1.3 the salt is the secret that all traffic secrets follow from.
    public override TlsSecret HkdfExtract(int cryptoHashAlgorithm, TlsSecret ikm)
    {
        CheckAlive();
        HashAlgorithmName name = PlatformCrypto.HashName(cryptoHashAlgorithm);
        byte[] key = SecretArrays.Rent(TlsCryptoUtilities.GetHashOutputSize(cryptoHashAlgorithm));
        CryptographicOperations.HmacData(name, m_data, ((PlatformSecret)ikm).m_data, key);
        Destroy();
        return crypto.Adopt(key);
    }

    public override TlsSecret HkdfExpand(int cryptoHashAlgorithm, byte[] info, int length) =>
        HkdfExpand(cryptoHashAlgorithm, info.AsSpan(), length);

    public override TlsSecret HkdfExpand(int cryptoHashAlgorithm, ReadOnlySpan<byte> info, int length)
    {
        CheckAlive();
        byte[] output = SecretArrays.Rent(length);
        HKDF.Expand(PlatformCrypto.HashName(cryptoHashAlgorithm), m_data, output, info);
        return crypto.Adopt(output);
    }

    public override TlsSecret DeriveUsingPrf(int prfAlgorithm, string label, byte[] seed, int length) =>
        DeriveUsingPrf(prfAlgorithm, label.AsSpan(), seed.AsSpan(), length);

    // RFC 5246 §5: PRF(secret, label, seed) = P_hash(secret, label + seed), of which block i is
    // HMAC(secret, A(i) + label + seed), and A(i) = HMAC(secret, A(i - 1)).
    public override TlsSecret DeriveUsingPrf(int prfAlgorithm, ReadOnlySpan<char> label,
        ReadOnlySpan<byte> seed, int length)
    {
        CheckAlive();
        int hash = TlsCryptoUtilities.GetHashForPrf(prfAlgorithm);
        HashAlgorithmName name = PlatformCrypto.HashName(hash);
        int hashLength = TlsCryptoUtilities.GetHashOutputSize(hash);

        Span<byte> input = stackalloc byte[hashLength + label.Length + seed.Length];
        Span<byte> chain = input[..hashLength];
        Span<byte> labelAndSeed = input[hashLength..];
        seed.CopyTo(labelAndSeed[Encoding.ASCII.GetBytes(label, labelAndSeed)..]);
        CryptographicOperations.HmacData(name, m_data, labelAndSeed, chain);

        byte[] output = SecretArrays.Rent(length);
        Span<byte> block = stackalloc byte[hashLength];
        for (int written = 0; written < length; written += hashLength)
        {
            CryptographicOperations.HmacData(name, m_data, input, block);
            block[..Math.Min(hashLength, length - written)].CopyTo(output.AsSpan(written));
            CryptographicOperations.HmacData(name, m_data, chain, block);
            block.CopyTo(chain);
        }

        CryptographicOperations.ZeroMemory(input);
        CryptographicOperations.ZeroMemory(block);
        return crypto.Adopt(output);
    }

    public override void ExtractTo(Span<byte> output)
    {
        CheckAlive();
        m_data.CopyTo(output);
        Destroy();
    }
}
