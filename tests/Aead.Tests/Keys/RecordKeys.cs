using Aead.Keys;

namespace Aead.Tests.Keys;

/// <summary>Keys that follow from a seed, so that both ends and the oracle of a test have the same.</summary>
internal static class RecordKeys
{
    /// <summary>Fresh keys of this seed. TLS 1.3 always starts at number 0.</summary>
    public static DirectionKeys Create(CipherSuite suite, int seed, ulong sequenceNumber = 0) =>
        suite.Version == TlsVersion.Tls13
            ? DirectionKeys.FromTrafficSecret(suite, Secret(suite, seed))
            : DirectionKeys.FromKeyBlock(suite, KeyBlockKey(suite, seed), KeyBlockIv(suite, seed), sequenceNumber);

    /// <summary>The same key and IV by the oracle's derivation.</summary>
    public static (byte[] Key, byte[] Iv) Oracle(CipherSuite suite, int seed) =>
        suite.Version == TlsVersion.Tls13
            ? OracleKeys.KeyAndIv(suite, Secret(suite, seed))
            : (KeyBlockKey(suite, seed), KeyBlockIv(suite, seed));

    public static byte[] Secret(CipherSuite suite, int seed) =>
        Bytes(suite.Hash == System.Security.Cryptography.HashAlgorithmName.SHA384 ? 48 : 32, seed);

    public static byte[] Bytes(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] KeyBlockKey(CipherSuite suite, int seed) => Bytes(suite.Aead.KeyLength, seed);

    private static byte[] KeyBlockIv(CipherSuite suite, int seed) => Bytes(suite.IvLength, seed ^ 0x1234567);
}
