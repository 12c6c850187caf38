using System.Collections.Immutable;
using System.Security.Cryptography;
using Aead.Algorithms;

namespace Aead;

/// <summary>The kind of key a TLS 1.2 suite demands of the server's certificate.</summary>
public enum CertificateKind
{
    /// <summary>TLS 1.3: the suite says nothing about the certificate.</summary>
    Any,

    /// <summary>ECDHE_ECDSA.</summary>
    Ecdsa,

    /// <summary>ECDHE_RSA.</summary>
    Rsa,
}

/// <summary>One row of the table of cipher suites (RFC 8446 B.4, RFC 5289, RFC 7905).</summary>
public sealed class CipherSuite
{
    internal CipherSuite(ushort id, string name, TlsVersion version, AeadAlgorithm aead,
        HashAlgorithmName hash, CertificateKind certificate)
    {
        Id = id;
        Name = name;
        Version = version;
        Aead = aead;
        Hash = hash;
        Certificate = certificate;
    }

    /// <summary>Every suite this project speaks, in the order a server prefers them by default.</summary>
    public static ImmutableArray<CipherSuite> All { get; } = CreateRows();

    /// <summary>The two bytes on the wire.</summary>
    public ushort Id { get; }

    /// <summary>The IANA name, for example TLS_AES_128_GCM_SHA256.</summary>
    public string Name { get; }

    /// <summary>The one version that may negotiate it.</summary>
    public TlsVersion Version { get; }

    /// <summary>What protects its records.</summary>
    public AeadAlgorithm Aead { get; }

    /// <summary>The hash of its key schedule.</summary>
    public HashAlgorithmName Hash { get; }

    /// <summary>Which certificates it can be used with.</summary>
    public CertificateKind Certificate { get; }

    /// <summary>Bytes of the [sender]_write_iv: 4 for TLS 1.2 GCM (RFC 5288 §3), else 12.</summary>
    public int IvLength => AeadAlgorithm.NonceLength - ExplicitNonceLength;

    /// <summary>
    /// Bytes of the nonce that travel in each record: 8 for TLS 1.2 GCM (RFC 5288 §3), else 0.
    /// </summary>
    public int ExplicitNonceLength => Version == TlsVersion.Tls12 ? Aead.ExplicitNonceLengthTls12 : 0;

    /// <summary>The suite with this wire value, or null.</summary>
    public static CipherSuite? Find(ushort id)
    {
        foreach (CipherSuite suite in All)
        {
            if (suite.Id == id)
            {
                return suite;
            }
        }

        return null;
    }

    /// <summary>The suite with this IANA name (case-insensitive), or null.</summary>
    public static CipherSuite? Find(string name)
    {
        foreach (CipherSuite suite in All)
        {
            if (string.Equals(suite.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                return suite;
            }
        }

        return null;
    }

    /// <summary>The IANA name.</summary>
    public override string ToString() => Name;

    private static ImmutableArray<CipherSuite> CreateRows()
    {
        AeadAlgorithm aes128 = AeadAlgorithm.Aes128Gcm;
        AeadAlgorithm aes256 = AeadAlgorithm.Aes256Gcm;
        AeadAlgorithm chaCha = AeadAlgorithm.ChaCha20Poly1305;
        HashAlgorithmName sha256 = HashAlgorithmName.SHA256;
        HashAlgorithmName sha384 = HashAlgorithmName.SHA384;
        return
        [
            Tls13(0x1301, "TLS_AES_128_GCM_SHA256", aes128, sha256),
            Tls13(0x1302, "TLS_AES_256_GCM_SHA384", aes256, sha384),
            Tls13(0x1303, "TLS_CHACHA20_POLY1305_SHA256", chaCha, sha256),
            Ecdsa(0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", aes128, sha256),
            Ecdsa(0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", aes256, sha384),
            Ecdsa(0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", chaCha, sha256),
            Rsa(0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", aes128, sha256),
            Rsa(0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", aes256, sha384),
            Rsa(0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", chaCha, sha256),
        ];
    }

    private static CipherSuite Tls13(ushort id, string name, AeadAlgorithm aead, HashAlgorithmName hash) =>
        new(id, name, TlsVersion.Tls13, aead, hash, CertificateKind.Any);

    private static CipherSuite Ecdsa(ushort id, string name, AeadAlgorithm aead, HashAlgorithmName hash) =>
        new(id, name, TlsVersion.Tls12, aead, hash, CertificateKind.Ecdsa);

    private static CipherSuite Rsa(ushort id, string name, AeadAlgorithm aead, HashAlgorithmName hash) =>
        new(id, name, TlsVersion.Tls12, aead, hash, CertificateKind.Rsa);
}
