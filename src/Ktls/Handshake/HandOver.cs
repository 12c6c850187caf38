using System.Security.Cryptography;
using Aead;
using Aead.Keys;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl;
using CipherSuite = Aead.CipherSuite;

namespace Ktls.Handshake;

/// <summary>Moves the keys of a finished handshake out of BouncyCastle.</summary>
internal static class HandOver
{
    /// <summary>The keys of both directions. Callable in NotifyHandshakeComplete alone.</summary>
    public static (DirectionKeys Client, DirectionKeys Server) TakeKeys(TlsServerContext context,
        CipherSuite suite) =>
        suite.Version == TlsVersion.Tls13
            ? TakeTls13Keys(context.SecurityParameters, suite)
            : TakeTls12Keys(context, suite);

    private static (DirectionKeys, DirectionKeys) TakeTls13Keys(SecurityParameters secrets,
        CipherSuite suite) =>
        (TakeTls13Keys(secrets.TrafficSecretClient, suite), TakeTls13Keys(secrets.TrafficSecretServer, suite));

    // Extract moves the array: BouncyCastle holds the application traffic secrets no more.
    private static DirectionKeys TakeTls13Keys(TlsSecret trafficSecret, CipherSuite suite)
    {
        byte[] secret = trafficSecret.Extract();
        DirectionKeys keys = DirectionKeys.FromTrafficSecret(suite, secret);
        SecretArrays.Return(secret);
        return keys;
    }

    // RFC 5246 §6.3: client key, server key, client IV, server IV; an AEAD has no MAC keys.
    private static (DirectionKeys, DirectionKeys) TakeTls12Keys(TlsServerContext context, CipherSuite suite)
    {
        int keyLength = suite.Aead.KeyLength;
        int ivLength = suite.IvLength;
        byte[] block = TlsImplUtilities.CalculateKeyBlock(
            new TlsCryptoParameters(context), 2 * (keyLength + ivLength));
        ReadOnlySpan<byte> keys = block.AsSpan(0, 2 * keyLength);
        ReadOnlySpan<byte> ivs = block.AsSpan(2 * keyLength);
        try
        {
            return (DirectionKeys.FromKeyBlock(suite, keys[..keyLength], ivs[..ivLength], AfterFinished),
                DirectionKeys.FromKeyBlock(suite, keys[keyLength..], ivs[ivLength..], AfterFinished));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(block);
        }
    }

    // In TLS 1.2 each side's Finished was record 0 under these keys.
    private const ulong AfterFinished = 1;
}
