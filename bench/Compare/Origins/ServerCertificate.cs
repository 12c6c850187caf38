using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bench.Compare.Origins;

/// <summary>One self-signed ECDSA P-256 certificate for localhost, in the forms the peers want.</summary>
internal sealed class ServerCertificate
{
    public ServerCertificate(string folder)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));

        CertificateFile = Path.Combine(folder, "certificate.pem");
        KeyFile = Path.Combine(folder, "key.pem");
        BothFile = Path.Combine(folder, "both.pem");
        Write(CertificateFile, certificate.ExportCertificatePem());
        Write(KeyFile, key.ExportPkcs8PrivateKeyPem());
        Write(BothFile, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    public string CertificateFile { get; }

    public string KeyFile { get; }

    /// <summary>Certificate and key in one file, for HAProxy and hitch.</summary>
    public string BothFile { get; }

    // Readable for peers that drop root before they open it: the key protects nothing.
    private static void Write(string file, string text)
    {
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }
}
