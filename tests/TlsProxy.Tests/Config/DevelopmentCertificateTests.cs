using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ktls.Handshake;
using TlsProxy.Config;
using Xunit;

namespace TlsProxy.Tests.Config;

public sealed class DevelopmentCertificateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tlsproxy-dev-").FullName;
    private readonly ConfigReport _report = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void IsMadeForThisMachineAndVerifiesUnderItsAuthority()
    {
        using ServerIdentity identity = Read()!;
        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificateFromFile(PathOf("dev.pem"));
        using X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(PathOf("dev-ca.pem"));
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        Assert.True(chain.Build(leaf), string.Join(" ", chain.ChainStatus.Select(s => s.StatusInformation)));
        Assert.True(leaf.MatchesHostname("localhost") && leaf.MatchesHostname("127.0.0.1") && leaf.MatchesHostname("::1"));
        Assert.False(leaf.MatchesHostname("example.com"));
        Assert.InRange((leaf.NotAfter - leaf.NotBefore).TotalDays, 1, 397);
        Assert.Contains("localhost", identity.ServerNames);
    }

    [Fact]
    public void TheKeyIsForItsOwnerAloneAndTheAuthoritysIsNowhere()
    {
        Read()!.Dispose();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf("dev.key")));
        Assert.Equal(["dev-ca.pem", "dev.key", "dev.pem"], Directory.GetFiles(PathOf("")).Select(Path.GetFileName).Order());
        Assert.DoesNotContain("PRIVATE", File.ReadAllText(PathOf("dev-ca.pem")) + File.ReadAllText(PathOf("dev.pem")), StringComparison.Ordinal);
    }

    [Fact]
    public void IsKeptWhileItLasts()
    {
        Read()!.Dispose();
        string first = File.ReadAllText(PathOf("dev.pem"));
        Read()!.Dispose();
        Assert.Equal(first, File.ReadAllText(PathOf("dev.pem")));
    }

    [Theory]
    [InlineData(DevelopmentCertificate.AuthoritySubject, 5)]
    [InlineData(DevelopmentCertificate.AuthoritySubject, -5)]
    public void IsRenewedWhenItEndsSoon(string issuer, int daysLeft)
    {
        WritePair(issuer, DateTimeOffset.UtcNow.AddDays(daysLeft));
        using ServerIdentity identity = Read()!;
        Assert.True(identity.NotAfter > DateTimeOffset.UtcNow.AddDays(300));
        Assert.Empty(_report.Errors);
    }

    [Fact]
    public void ACertificateOfSomebodyElseIsNeverReplaced()
    {
        WritePair("CN=Somebody else", DateTimeOffset.UtcNow.AddDays(-5));
        string before = File.ReadAllText(PathOf("dev.pem")) + File.ReadAllText(PathOf("dev.key"));
        Assert.Null(Read());
        Assert.Contains("was not made by this program", Assert.Single(_report.Errors), StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(PathOf("dev.pem")) + File.ReadAllText(PathOf("dev.key")));
    }

    [Theory]
    [InlineData("dev.key")]
    [InlineData("dev-ca.pem")]
    [InlineData("dev.pem")]
    public void AFileOfSomebodyElseIsNeverReplaced(string name)
    {
        Directory.CreateDirectory(PathOf(""));
        File.WriteAllText(PathOf(name), "not ours");
        Assert.Null(Read());
        Assert.Contains("name it in Certificates, or move it away", Assert.Single(_report.Errors), StringComparison.Ordinal);
        Assert.Equal("not ours", File.ReadAllText(PathOf(name)));
    }

    [Fact]
    public void AFolderThatCannotBeWrittenIsExplained()
    {
        File.WriteAllText(Path.Combine(_folder, "certs"), "a file where the folder would be");
        Assert.Null(Read());
        Assert.Contains("name a certificate, or make that folder writable", Assert.Single(_report.Errors), StringComparison.Ordinal);
    }

    private ServerIdentity? Read() => new DevelopmentCertificate(_folder).Read(mayWrite: true, "Certificates", _report);

    private string PathOf(string name) => Path.Combine(_folder, "certs", name);

    private void WritePair(string issuer, DateTimeOffset to)
    {
        Directory.CreateDirectory(PathOf(""));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 leaf = request.Create(
            new X500DistinguishedName(issuer), X509SignatureGenerator.CreateForECDsa(key), to.AddDays(-30), to, [1]);
        File.WriteAllText(PathOf("dev.pem"), leaf.ExportCertificatePem());
        File.WriteAllText(PathOf("dev.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
