using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace TlsProxy.Tests.Config;

/// <summary>A folder with one of every kind of certificate file, good and bad, to write configurations into.</summary>
public sealed class ConfigFolder : IDisposable
{
    public const string Password = "correct horse";

    public ConfigFolder()
    {
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 authority = CreateAuthority(authorityKey);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 leaf = CreateLeaf(authority, authorityKey, key, Now.AddDays(-1), Now.AddDays(30));
        using X509Certificate2 expired = CreateLeaf(authority, authorityKey, key, Now.AddDays(-30), Now.AddDays(-1));
        using X509Certificate2 early = CreateLeaf(authority, authorityKey, key, Now.AddDays(10), Now.AddDays(30));
        string keyText = key.ExportPkcs8PrivateKeyPem();
        string chainText = leaf.ExportCertificatePem() + "\n" + authority.ExportCertificatePem();

        Write("leaf.pem", leaf.ExportCertificatePem());
        Write("chain.pem", chainText);
        Write("disordered.pem", $"{leaf.ExportCertificatePem()}\n{expired.ExportCertificatePem()}");
        Write("reversed.pem", $"{authority.ExportCertificatePem()}\n{leaf.ExportCertificatePem()}");
        Write("expired.pem", $"{expired.ExportCertificatePem()}\n{authority.ExportCertificatePem()}");
        Write("early.pem", $"{early.ExportCertificatePem()}\n{authority.ExportCertificatePem()}");
        Write("combined.pem", chainText + "\n" + keyText);
        Write("leaf.key", keyText);
        Write("sec1.key", key.ExportECPrivateKeyPem());
        Write("other.key", otherKey.ExportPkcs8PrivateKeyPem());
        Write("encrypted.key", key.ExportEncryptedPkcs8PrivateKeyPem(Password, Pbe));
        Write("old.key", "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----");
        Write("not.pem", "this is a text");
        Write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");

        using X509Certificate2 withKey = leaf.CopyWithPrivateKey(key);
        X509Certificate2Collection bundle = [authority, withKey];
        File.WriteAllBytes(PathOf("leaf.pfx"), bundle.Export(X509ContentType.Pfx)!);
        File.WriteAllBytes(PathOf("locked.pfx"), bundle.Export(X509ContentType.Pfx, Password)!);
        using X509Certificate2 keyless = X509CertificateLoader.LoadCertificate(authority.RawData);
        File.WriteAllBytes(PathOf("keyless.pfx"), new X509Certificate2Collection(keyless).Export(X509ContentType.Pfx)!);

        WriteRsa("rsa", 2048);
        WriteRsa("weak", 1024);
    }

    public string FullPath { get; } = Directory.CreateTempSubdirectory("tlsproxy-config-").FullName;

    public string PathOf(string name) => Path.Combine(FullPath, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    /// <summary>Runs 'check' on this text.</summary>
    public Task<(int ExitCode, string Output, string Error)> CheckAsync(string json) =>
        RunAsync("check", "--config", Write($"{Guid.NewGuid():N}.json", json));

    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exitCode = await Program.RunAsync(args, [], output, error).WaitAsync(TimeSpan.FromSeconds(30));
        return (exitCode, output.ToString(), error.ToString());
    }

    public void Dispose() => Directory.Delete(FullPath, recursive: true);

    private static X509Certificate2 CreateAuthority(ECDsa key)
    {
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(Now.AddDays(-60), Now.AddDays(60));
    }

    private static X509Certificate2 CreateLeaf(
        X509Certificate2 authority, ECDsa authorityKey, ECDsa key, DateTimeOffset from, DateTimeOffset to)
    {
        var request = new CertificateRequest("CN=api.example", key, HashAlgorithmName.SHA256);
        AddNames(request);
        return request.Create(
            authority.SubjectName, X509SignatureGenerator.CreateForECDsa(authorityKey), from, to, RandomNumberGenerator.GetBytes(12));
    }

    private void WriteRsa(string name, int bits)
    {
        using RSA key = RSA.Create(bits);
        var request = new CertificateRequest("CN=api.example", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        AddNames(request);
        using X509Certificate2 certificate = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(30));
        Write($"{name}.pem", certificate.ExportCertificatePem());
        Write($"{name}.key", key.ExportRSAPrivateKeyPem());
    }

    private static void AddNames(CertificateRequest request)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("api.example");
        names.AddDnsName("*.wild.example");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
    }

    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private static readonly PbeParameters Pbe = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);
}
