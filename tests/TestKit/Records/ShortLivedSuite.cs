using System.Security.Cryptography;
using Aead;
using Aead.Algorithms;

namespace TestKit.Records;

/// <summary>Suites whose keys wear out after a handful of records, so that a test reaches their usage limits.</summary>
public static class ShortLivedSuite
{
    /// <summary>TLS_AES_128_GCM_SHA256 with other limits.</summary>
    public static CipherSuite Create(ulong updateKeysRecords, ulong closeRecords) => new(
        0x1301, "TLS_AES_128_GCM_SHA256", TlsVersion.Tls13, Algorithm(updateKeysRecords, closeRecords), HashAlgorithmName.SHA256, CertificateKind.Any);

    private static AeadAlgorithm Algorithm(ulong updateKeysRecords, ulong closeRecords) => new(
        "AEAD_AES_128_GCM", AeadAlgorithm.Aes128Gcm.KeyLength, 8, new UsageLimit(updateKeysRecords, closeRecords),
        key => AeadAlgorithm.Aes128Gcm.Create(key));
}
