using System.Security.Cryptography;
using Aead.Algorithms;
using Xunit;

namespace Aead.Tests;

public sealed class CipherSuiteTests
{
    [Fact]
    public void All_IsTheServersOrderOfPreference()
    {
        // Values: IANA's TLS Cipher Suites registry.
        ushort[] expected = [0x1301, 0x1302, 0x1303, 0xC02B, 0xC02C, 0xCCA9, 0xC02F, 0xC030, 0xCCA8];
        Assert.Equal(expected, CipherSuite.All.Select(suite => suite.Id));
    }

    [Fact]
    public void All_NameTellsAeadHashAndCertificate()
    {
        foreach (CipherSuite suite in CipherSuite.All)
        {
            string aead = suite.Aead.Name["AEAD_".Length..];
            string hash = suite.Hash == HashAlgorithmName.SHA384 ? "SHA384" : "SHA256";
            string exchange = suite.Certificate switch
            {
                CertificateKind.Ecdsa => "ECDHE_ECDSA_WITH_",
                CertificateKind.Rsa => "ECDHE_RSA_WITH_",
                _ => "",
            };
            Assert.Equal($"TLS_{exchange}{aead}_{hash}", suite.Name);
            Assert.Equal(suite.Certificate == CertificateKind.Any, suite.Version == TlsVersion.Tls13);
        }
    }

    [Fact]
    public void Find_EveryRow_ByIdAndByNameInAnyCase()
    {
        foreach (CipherSuite suite in CipherSuite.All)
        {
            Assert.Same(suite, CipherSuite.Find(suite.Id));
            Assert.Same(suite, CipherSuite.Find(suite.Name));
            Assert.Same(suite, CipherSuite.Find(suite.Name.ToLowerInvariant()));
        }
    }

    [Fact]
    public void Find_Unknown_IsNull()
    {
        Assert.Null(CipherSuite.Find(0x009C));
        Assert.Null(CipherSuite.Find("TLS_RSA_WITH_AES_128_GCM_SHA256"));
    }

    [Fact]
    public void IvAndExplicitNonce_MakeOneNonce_AndOnlyTls12GcmSendsAPart()
    {
        foreach (CipherSuite suite in CipherSuite.All)
        {
            bool isGcm = suite.Aead != AeadAlgorithm.ChaCha20Poly1305;
            bool sends = suite.Version == TlsVersion.Tls12 && isGcm;
            Assert.Equal(sends ? 8 : 0, suite.ExplicitNonceLength);
            Assert.Equal(sends ? 4 : 12, suite.IvLength);
        }
    }
}
