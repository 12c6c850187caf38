using System.Security.Cryptography;
using Aead;
using Aead.Keys;

namespace Ktls.Kernel;

/// <summary>
/// One direction's keys of a connection that carries nothing worth a secret, as often as they are needed. Random, and new each time.
/// </summary>
internal sealed class SelfTestKeys(CipherSuite suite)
{
    private readonly byte[] _material = RandomNumberGenerator.GetBytes(MaterialBytes);

    /// <summary>The same keys each time; the caller owns them.</summary>
    public DirectionKeys Create()
    {
        if (suite.Version == TlsVersion.Tls13)
        {
            int length = suite.Hash == HashAlgorithmName.SHA384 ? SHA384.HashSizeInBytes : SHA256.HashSizeInBytes;
            return DirectionKeys.FromTrafficSecret(suite, _material[..length]);
        }

        ReadOnlySpan<byte> key = _material.AsSpan(0, suite.Aead.KeyLength);
        return DirectionKeys.FromKeyBlock(suite, key, _material.AsSpan(key.Length, suite.IvLength), sequenceNumber: 1);
    }

    // The longest of both: a SHA-384 secret, or a 256-bit key and a 12-byte IV.
    private const int MaterialBytes = 48;
}
