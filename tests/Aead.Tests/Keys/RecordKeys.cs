using System.Security.Cryptography;
using Aead.Keys;

namespace Aead.Tests.Keys;

/// <summary>Keys that follow from a seed, so that both ends and the oracle of a test have the same.</summary>
internal static class RecordKeys
{
    /// <summary>
    /// Fresh keys of this seed, at the number that follows a handshake unless another is given.
    /// </summary>
    public static DirectionKeys Create(CipherSuite suite, int seed, ulong? sequenceNumber = null)
    {
        ulong number = sequenceNumber ?? FirstNumber(suite);
        if (suite.Version == TlsVersion.Tls12)
        {
            (byte[] key, byte[] iv) = Oracle(suite, seed);
            return DirectionKeys.FromKeyBlock(suite, key, iv, number);
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(number, 0UL);
        return DirectionKeys.FromTrafficSecret(suite, Secret(suite, seed));
    }

    /// <summary>TLS 1.2 counts Finished with the same keys, TLS 1.3 does not.</summary>
    public static ulong FirstNumber(CipherSuite suite) => suite.Version == TlsVersion.Tls12 ? 1UL : 0;

    /// <summary>The same key and IV by the oracle's derivation.</summary>
    public static (byte[] Key, byte[] Iv) Oracle(CipherSuite suite, int seed) =>
        suite.Version == TlsVersion.Tls13
            ? OracleKeys.KeyAndIv(suite, Secret(suite, seed))
            : (KeyBlockKey(suite, seed), KeyBlockIv(suite, seed));

    public static byte[] Secret(CipherSuite suite, int seed) =>
        Bytes(suite.Hash == HashAlgorithmName.SHA384 ? 48 : 32, seed);

    public static byte[] Bytes(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] KeyBlockKey(CipherSuite suite, int seed) => Bytes(suite.Aead.KeyLength, seed);

    private static byte[] KeyBlockIv(CipherSuite suite, int seed) => Bytes(suite.IvLength, seed ^ 0x1234567);
}
