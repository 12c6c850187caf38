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
    /// <summary>Every suite this project speaks, in the order a server prefers them by default.</summary>
    public static ImmutableArray<CipherSuite> All => throw null!;

    /// <summary>The two bytes on the wire.</summary>
    public ushort Id => throw null!;

    /// <summary>The IANA name, for example TLS_AES_128_GCM_SHA256.</summary>
    public string Name => throw null!;

    /// <summary>The one version that may negotiate it.</summary>
    public TlsVersion Version => throw null!;

    /// <summary>What protects its records.</summary>
    public AeadAlgorithm Aead => throw null!;

    /// <summary>The hash of its key schedule.</summary>
    public HashAlgorithmName Hash => throw null!;

    /// <summary>Which certificates it can be used with.</summary>
    public CertificateKind Certificate => throw null!;

    /// <summary>The suite with this wire value, or null.</summary>
    public static CipherSuite? Find(ushort id) => throw null!;

    /// <summary>The suite with this IANA name (case-insensitive), or null.</summary>
    public static CipherSuite? Find(string name) => throw null!;
}
