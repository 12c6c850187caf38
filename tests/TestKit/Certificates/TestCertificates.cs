using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace TestKit.Certificates;

/// <summary>
/// A throw-away authority with one ECDSA P-256 and one RSA-2048 leaf for localhost, written as PEM files.
/// </summary>
public sealed class TestCertificates : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly X509Certificate2 _authority;

    public TestCertificates()
    {
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(AuthorityName, authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _authority = request.CreateSelfSigned(NotBefore, NotAfter);
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());

        using ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest ecdsaRequest = new(LeafName, ecdsa, HashAlgorithmName.SHA256);
        WriteLeaf(ecdsaRequest, ecdsa, EcdsaFile, EcdsaKeyFile);
        using RSA rsa = RSA.Create(2048);
        CertificateRequest rsaRequest = new(
            LeafName, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        WriteLeaf(rsaRequest, rsa, RsaFile, RsaKeyFile);
    }

    /// <summary>The authority's certificate, to be trusted by clients.</summary>
    public string AuthorityFile => _directory.File("authority.pem");

    public string EcdsaFile => _directory.File("ecdsa.pem");

    public string EcdsaKeyFile => _directory.File("ecdsa.key");

    public string RsaFile => _directory.File("rsa.pem");

    public string RsaKeyFile => _directory.File("rsa.key");

    /// <summary>
    /// What an <see cref="SslStream"/> or HttpClient of a test uses: trusts this authority and nothing else.
    /// </summary>
    public SslClientAuthenticationOptions ClientOptions() => new()
    {
        TargetHost = "localhost",
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _authority },
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        },
    };

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    private void WriteLeaf(
        CertificateRequest request, AsymmetricAlgorithm key, string certificateFile, string keyFile)
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        byte[] serialNumber = RandomNumberGenerator.GetBytes(16);

        // The authority's key is ECDSA, the leaf's may not be: only the generator form signs across kinds.
        using ECDsa authorityKey = _authority.GetECDsaPrivateKey()!;
        X509SignatureGenerator generator = X509SignatureGenerator.CreateForECDsa(authorityKey);
        using X509Certificate2 leaf = request.Create(
            _authority.SubjectName, generator, NotBefore, NotAfter, serialNumber);
        File.WriteAllText(certificateFile, leaf.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static readonly DateTimeOffset NotBefore = DateTimeOffset.UtcNow.AddHours(-1);
    private static readonly DateTimeOffset NotAfter = DateTimeOffset.UtcNow.AddDays(7);
    private const string AuthorityName = "CN=TlsProxy test authority";
    private const string LeafName = "CN=localhost";

    // id-kp-serverAuth (RFC 5280 §4.2.1.12).
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
}
