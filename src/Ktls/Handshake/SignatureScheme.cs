using System.Collections.Immutable;
using System.Security.Cryptography;
using Aead;

namespace Ktls.Handshake;

/// <summary>A signature scheme this server signs with (RFC 8446 §4.2.3) as data.</summary>
internal sealed class SignatureScheme
{
    private SignatureScheme(int id, CertificateKind kind, HashAlgorithmName hash,
        RSASignaturePadding? padding, int curveBits, bool isInTls13)
    {
        Id = id;
        Kind = kind;
        Hash = hash;
        Padding = padding;
        CurveBits = curveBits;
        IsInTls13 = isInTls13;
    }

    /// <summary>
    /// In the server's order of preference: ECDSA before RSA, as its signature costs a tenth of the CPU; PSS
    /// before PKCS #1.
    /// </summary>
    public static ImmutableArray<SignatureScheme> All { get; } =
    [
        Ecdsa(0x0403, HashAlgorithmName.SHA256, curveBits: 256),
        Ecdsa(0x0503, HashAlgorithmName.SHA384, curveBits: 384),
        Ecdsa(0x0603, HashAlgorithmName.SHA512, curveBits: 521),
        Rsa(0x0804, HashAlgorithmName.SHA256, RSASignaturePadding.Pss, isInTls13: true),
        Rsa(0x0805, HashAlgorithmName.SHA384, RSASignaturePadding.Pss, isInTls13: true),
        Rsa(0x0806, HashAlgorithmName.SHA512, RSASignaturePadding.Pss, isInTls13: true),
        Rsa(0x0401, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, isInTls13: false),
        Rsa(0x0501, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1, isInTls13: false),
        Rsa(0x0601, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1, isInTls13: false),
    ];

    /// <summary>The two bytes on the wire.</summary>
    public int Id { get; }

    /// <summary>The kind of key.</summary>
    public CertificateKind Kind { get; }

    /// <summary>What is signed is this hash.</summary>
    public HashAlgorithmName Hash { get; }

    /// <summary>Null for ECDSA.</summary>
    public RSASignaturePadding? Padding { get; }

    private int CurveBits { get; }

    private bool IsInTls13 { get; }

    /// <summary>
    /// Whether a key of this kind and size may sign with it. TLS 1.3 binds the curve to the hash, TLS 1.2
    /// does not.
    /// </summary>
    public bool Fits(CertificateKind kind, int keyBits, TlsVersion version) =>
        kind == Kind
        && (version == TlsVersion.Tls12
            || (IsInTls13 && (Kind == CertificateKind.Rsa || keyBits == CurveBits)));

    private static SignatureScheme Ecdsa(int id, HashAlgorithmName hash, int curveBits) =>
        new(id, CertificateKind.Ecdsa, hash, padding: null, curveBits, isInTls13: true);

    private static SignatureScheme Rsa(int id, HashAlgorithmName hash, RSASignaturePadding padding,
        bool isInTls13) => new(id, CertificateKind.Rsa, hash, padding, curveBits: 0, isInTls13);
}
