using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aead;
using Ktls.Handshake;
using TestKit.Certificates;
using TlsProxy.Config;
using Xunit;

namespace TlsProxy.Tests.Config;

/// <summary>Does a certificate that no client could use keep the program from starting?</summary>
public sealed class IdentityTestTests
{
    [Fact]
    public void ACertificateThatNoClientCouldUseIsAnErrorThatNamesItAndTheRemedy()
    {
        using ECDsa claimed = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ServerIdentity good = Identity(ECDsa.Create(ECCurve.NamedCurves.nistP256), "good.example");
        using ServerIdentity foreign = Identity(new ForeignKey(claimed, ECDsa.Create(ECCurve.NamedCurves.nistP256)), "foreign.example");
        ConfigReport report = Test(new HandshakePolicy { Identities = new ServerIdentitySet([good]) }, good, foreign);
        string error = Assert.Single(report.Errors);
        Assert.StartsWith("TlsProxy:Listeners:https:Certificates:1: no client can use the certificate for foreign.example", error, StringComparison.Ordinal);
        Assert.Contains("decrypt_error", error, StringComparison.Ordinal);
        Assert.Contains("Issue key and certificate anew", error, StringComparison.Ordinal);
        Assert.Empty(report.Notes);
    }

    /// <summary>A note and no more: clients of today may know what the OpenSSL of this machine does not.</summary>
    [Fact]
    public void WhatTheClientDoesNotKnowIsNoError()
    {
        using ServerIdentity identity = Identity(ECDsa.Create(ECCurve.NamedCurves.nistP256), "good.example");
        ConfigReport report = Test(
            new HandshakePolicy
            {
                Identities = new ServerIdentitySet([identity]),
                MinimumVersion = TlsVersion.Tls13,
                Groups = [KeyExchangeGroup.Find("X25519MLKEM768")!],
            },
            identity);
        Assert.Empty(report.Errors);
        Assert.Equal(SafeEvpPKeyHandle.OpenSslVersion >= 0x30500000 ? 0 : 3, report.Notes.Count);
    }

    private static ConfigReport Test(HandshakePolicy policy, params List<ServerIdentity> identities)
    {
        ConfigReport report = new();
        IdentityTest.Run(policy, identities, "TlsProxy:Listeners:https:Certificates", report);
        return report;
    }

    // Signed with another key than the one it is for, as what is tested is not trust.
    private static ServerIdentity Identity(ECDsa key, string name)
    {
        using ECDsa issuer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.Create(
            new X500DistinguishedName("CN=issuer"), X509SignatureGenerator.CreateForECDsa(issuer), DateTimeOffset.UtcNow.AddDays(-1),
            DateTimeOffset.UtcNow.AddDays(1), [1]);
        return new ServerIdentity([X509CertificateLoader.LoadCertificate(certificate.RawData)], key, [name]);
    }
}
