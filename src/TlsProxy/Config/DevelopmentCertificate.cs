using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ktls.Handshake;

namespace TlsProxy.Config;

/// <summary>
/// The certificate of a listener that names none: for this machine's own names, signed by an authority whose
/// key is dropped as soon as it has signed, so that trusting it trusts nothing else, ever.
/// </summary>
internal sealed class DevelopmentCertificate(string folder)
{
    /// <summary>The distinguished name of the authority, by which its files are known to be ours.</summary>
    public const string AuthoritySubject = "CN=TlsProxy development CA";

    /// <summary>The file to hand to clients, for example to curl --cacert.</summary>
    public string AuthorityFile { get; } = Path.Combine(folder, "certs", "dev-ca.pem");

    private string LeafFile { get; } = Path.Combine(folder, "certs", "dev.pem");

    private string KeyFile { get; } = Path.Combine(folder, "certs", "dev.key");

    /// <summary>
    /// The identity on disk. When there is none, or it ends soon, a new one: also on disk if <paramref name="mayWrite"/>, else in memory
    /// alone, to check a configuration with. Files that are not ours are never replaced.
    /// </summary>
    /// <returns>Null when the report has an error for it.</returns>
    public ServerIdentity? Read(bool mayWrite, string path, ConfigReport report)
    {
        try
        {
            X509Certificate2? existing = FindOurs(path, report, out bool isForeign);
            if (isForeign)
            {
                return null;
            }

            if (existing is not null && existing.NotAfter.ToUniversalTime() > DateTime.UtcNow + RenewBefore)
            {
                return new ServerIdentity([existing], ReadKey(path, report)!, []);
            }

            (X509Certificate2 authority, X509Certificate2 leaf, ECDsa key) = Create();
            if (mayWrite)
            {
                Write(authority, leaf, key);
            }

            return new ServerIdentity([leaf], key, []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Error(
                path,
                $"is empty and no development certificate can be kept in {Path.GetDirectoryName(LeafFile)} as user {Environment.UserName} "
                + $"({e.Message}); name a certificate, or make that folder writable.");
            return null;
        }
    }

    private X509Certificate2? FindOurs(string path, ConfigReport report, out bool isForeign)
    {
        X509Certificate2? leaf = null;
        string? foreign = null;
        try
        {
            leaf = File.Exists(LeafFile) ? X509CertificateLoader.LoadCertificateFromFile(LeafFile) : null;
            foreign = leaf is not null && leaf.Issuer != AuthoritySubject ? LeafFile
                : leaf is null && File.Exists(KeyFile) ? KeyFile
                : File.Exists(AuthorityFile) && ReadSubject(AuthorityFile) != AuthoritySubject ? AuthorityFile
                : leaf is not null && File.Exists(KeyFile) && !IsKeyOf(leaf) ? KeyFile
                : null;
        }
        catch (CryptographicException)
        {
            foreign = LeafFile;
        }

        isForeign = foreign is not null;
        if (isForeign)
        {
            report.Error(
                path,
                $"is empty, but {foreign} is in the way of the development certificate and was not made by this program; "
                + "name it in Certificates, or move it away.");
        }

        return File.Exists(KeyFile) && File.Exists(AuthorityFile) ? leaf : null;
    }

    private bool IsKeyOf(X509Certificate2 leaf)
    {
        using AsymmetricAlgorithm? key = ReadKey("", new ConfigReport());
        return key is not null && key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(leaf.PublicKey.ExportSubjectPublicKeyInfo());
    }

    private AsymmetricAlgorithm? ReadKey(string path, ConfigReport report)
    {
        byte[] pem = CertificateReader.ReadPinned(KeyFile);
        try
        {
            return PemKeyReader.Read(pem, KeyFile, password: null, path, report);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pem);
        }
    }

    private static string ReadSubject(string file)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(file);
        return certificate.Subject;
    }

    private static (X509Certificate2 Authority, X509Certificate2 Leaf, ECDsa Key) Create()
    {
        DateTimeOffset from = DateTimeOffset.UtcNow.AddHours(-1); // A client's clock may be a little behind.
        DateTimeOffset to = from + Validity;

        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest(AuthoritySubject, authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        authorityRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authorityRequest.PublicKey, false));
        using X509Certificate2 authority = authorityRequest.CreateSelfSigned(from, to);

        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false)); // id-kp-serverAuth
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        X509Certificate2 leaf = request.Create(authority, from, to, RandomNumberGenerator.GetBytes(SerialLength));
        return (X509CertificateLoader.LoadCertificate(authority.RawData), leaf, key);
    }

    private void Write(X509Certificate2 authority, X509Certificate2 leaf, ECDsa key)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(LeafFile)!);
        WriteFile(KeyFile, key.ExportPkcs8PrivateKeyPem(), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        WriteFile(LeafFile, leaf.ExportCertificatePem(), PublicMode);
        WriteFile(AuthorityFile, authority.ExportCertificatePem(), PublicMode);
    }

    // Written beside and renamed, so that a reader never sees half a file; created with its mode, so that a
    // key is never readable by others.
    private static void WriteFile(string file, string text, UnixFileMode mode)
    {
        string draft = file + ".new";
        File.Delete(draft);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode };
        using (var writer = new StreamWriter(draft, options))
        {
            writer.WriteLine(text);
        }

        File.Move(draft, file, overwrite: true);
    }

    private const UnixFileMode PublicMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    // Apple's and the browsers' bound for a server certificate is 398 days.
    private static readonly TimeSpan Validity = TimeSpan.FromDays(397);

    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    // RFC 5280 §4.1.2.2 allows up to 20 bytes; CreateSelfSigned and Create clear the sign bit.
    private const int SerialLength = 16;
}
