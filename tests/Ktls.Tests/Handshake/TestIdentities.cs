using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aead;
using Ktls.Handshake;

namespace Ktls.Tests.Handshake;

/// <summary>Self-signed identities, made once per test run.</summary>
internal static class TestIdentities
{
    public static ServerIdentity Ecdsa { get; } = Create(CertificateKind.Ecdsa, "ecdsa.example");

    public static ServerIdentity Rsa { get; } = Create(CertificateKind.Rsa, "rsa.example");

    public static ServerIdentity P384 { get; } = CreateOn(ECCurve.NamedCurves.nistP384, "p384.example");

    public static ServerIdentity P521 { get; } = CreateOn(ECCurve.NamedCurves.nistP521, "p521.example");

    public static ServerIdentity Of(CertificateKind kind) => kind == CertificateKind.Rsa ? Rsa : Ecdsa;

    public static ServerIdentity Create(CertificateKind kind, params string[] names)
    {
        if (kind != CertificateKind.Rsa)
        {
            return CreateOn(ECCurve.NamedCurves.nistP256, names);
        }

        var key = RSA.Create(2048);
        return new ServerIdentity([SelfSign(key, names)], key, []);
    }

    public static ServerIdentity CreateOn(ECCurve curve, params string[] names)
    {
        var key = ECDsa.Create(curve);
        return new ServerIdentity([SelfSign(key, names)], key, []);
    }

    public static X509Certificate2 SelfSign(AsymmetricAlgorithm key, params string[] names)
    {
        var subject =
            new X500DistinguishedName($"CN={names.FirstOrDefault("nobody")} {key.SignatureAlgorithm}");
        CertificateRequest request = key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names)
        {
            alternatives.AddDnsName(name);
        }

        if (names.Length > 0)
        {
            request.CertificateExtensions.Add(alternatives.Build());
        }

        using X509Certificate2 full = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return X509CertificateLoader.LoadCertificate(full.RawData);
    }
}
