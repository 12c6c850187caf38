using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aead;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;

namespace Ktls.Handshake;

/// <summary>
/// A certificate chain, its private key and the names it serves. Owns the key. Thread-safe.
/// </summary>
public sealed class ServerIdentity : IDisposable
{
    private readonly SigningKey _key;
    private readonly int _keyBits;

    /// <summary>Takes <paramref name="key"/> over. The key must match the leaf.</summary>
    /// <param name="chain">Leaf first, DER.</param>
    /// <param name="key">ECDSA on P-256, P-384 or P-521, or RSA of at least 2048 bits.</param>
    /// <param name="serverNames">
    /// Exact names or one-label wildcards; empty: from the leaf's subject alternative names.
    /// </param>
    /// <exception cref="ArgumentException">
    /// Key kind, size or match is wrong; the message is a sentence for the operator.
    /// </exception>
    public ServerIdentity(IReadOnlyList<X509Certificate2> chain, AsymmetricAlgorithm key,
        IReadOnlyList<string> serverNames)
    {
        ArgumentNullException.ThrowIfNull(chain);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(serverNames);
        if (chain.Count == 0)
        {
            throw new ArgumentException("The certificate file holds no certificate.", nameof(chain));
        }

        X509Certificate2 leaf = chain[0];
        Kind = JudgeKey(leaf, key);
        _keyBits = key.KeySize;
        ServerNames = ReadNames(serverNames.Count > 0 ? serverNames : DnsNames(leaf));
        NotAfter = leaf.NotAfter.ToUniversalTime();
        TlsCertificate[] certificates =
            [.. chain.Select(certificate => new ChainCertificate(certificate.RawData))];
        Tls12Chain = new Certificate(certificates);
        Tls13Chain = new Certificate(certificateRequestContext: [],
            [.. certificates.Select(certificate => new CertificateEntry(certificate, extensions: null))]);
        _key = CreateKey(key);
    }

    /// <summary>Ecdsa or Rsa.</summary>
    public CertificateKind Kind { get; }

    /// <summary>Lower-case names.</summary>
    public ImmutableArray<string> ServerNames { get; }

    /// <summary>The leaf's end of validity, UTC.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>The Certificate message's content in TLS 1.2, parsed once for all handshakes.</summary>
    internal Certificate Tls12Chain { get; }

    /// <summary>The Certificate message's content in TLS 1.3, parsed once for all handshakes.</summary>
    internal Certificate Tls13Chain { get; }

    /// <summary>The named curve of an ECDSA key (RFC 8446 §4.2.7); 0 for RSA.</summary>
    internal int CurveId => Kind == CertificateKind.Rsa ? 0 : _keyBits switch
    {
        256 => 0x0017,
        384 => 0x0018,
        _ => 0x0019,
    };

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    /// <summary>Whether the key may sign with this scheme in this version.</summary>
    internal bool CanSign(SignatureScheme scheme, TlsVersion version) => scheme.Fits(Kind, _keyBits, version);

    /// <summary>Signs a hash made with the scheme's hash.</summary>
    internal byte[] Sign(SignatureScheme scheme, byte[] hash) => _key.Sign(scheme, hash);

    private static CertificateKind JudgeKey(X509Certificate2 leaf, AsymmetricAlgorithm key)
    {
        CertificateKind kind = key switch
        {
            ECDsa ecdsa when IsNistCurve(ecdsa) => CertificateKind.Ecdsa,
            ECDsa => throw Wrong("an ECDSA key must be on P-256, P-384 or P-521"),
            RSA { KeySize: >= RsaBitsMin } => CertificateKind.Rsa,
            RSA => throw Wrong($"an RSA key must have at least {RsaBitsMin} bits, not {key.KeySize}"),
            _ => throw Wrong("the key must be ECDSA or RSA"),
        };
        if (leaf.PublicKey.Oid.Value != (kind == CertificateKind.Ecdsa ? EcPublicKeyOid : RsaEncryptionOid)
            || !leaf.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(PublicKeyInfo(key)))
        {
            throw Wrong("the private key does not belong to the first certificate of the chain");
        }

        return kind;

        ArgumentException Wrong(string what) =>
            new($"The certificate {leaf.Subject} cannot be used: {what}.", nameof(key));
    }

    private static bool IsNistCurve(ECDsa key) =>
        key.ExportParameters(includePrivateParameters: false).Curve
            is { IsNamed: true, Oid.Value: P256Oid or P384Oid or P521Oid };

    private static byte[] PublicKeyInfo(AsymmetricAlgorithm key) => key.ExportSubjectPublicKeyInfo();

    private static SigningKey CreateKey(AsymmetricAlgorithm key)
    {
        try
        {
            return new SigningKey(key);
        }
        catch (CryptographicException reason)
        {
            throw new ArgumentException(
                $"The private key cannot be loaded into OpenSSL: {reason.Message}", nameof(key), reason);
        }
    }

    private static IEnumerable<string> DnsNames(X509Certificate2 leaf) => leaf.Extensions
        .OfType<X509SubjectAlternativeNameExtension>()
        .SelectMany(extension => extension.EnumerateDnsNames());

    private static ImmutableArray<string> ReadNames(IEnumerable<string> names)
    {
        var patterns = ImmutableArray.CreateBuilder<string>();
        foreach (string name in names)
        {
            if (!ServerName.TryReadPattern(name, out string? pattern))
            {
                throw new ArgumentException(
                    $"\"{name}\" is no server name; write a host name in ASCII (xn-- for others), "
                    + "optionally with a leading \"*.\".",
                    nameof(names));
            }

            if (!patterns.Contains(pattern))
            {
                patterns.Add(pattern);
            }
        }

        return patterns.ToImmutable();
    }

    // Shorter RSA keys are below what TLS clients accept today.
    private const int RsaBitsMin = 2048;

    // RFC 5480 §2.1.1 and RFC 8017 appendix C.
    private const string EcPublicKeyOid = "1.2.840.10045.2.1";
    private const string RsaEncryptionOid = "1.2.840.113549.1.1.1";
    private const string P256Oid = "1.2.840.10045.3.1.7";
    private const string P384Oid = "1.3.132.0.34";
    private const string P521Oid = "1.3.132.0.35";
}
