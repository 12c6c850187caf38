using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;

namespace Aead.Tests.Keys;

/// <summary>
/// The key schedule of one direction by BouncyCastle's HKDF, written from RFC 8446 §7 without the product's
/// code.
/// </summary>
internal static class OracleKeys
{
    public static byte[] ExpandLabel(bool sha384, byte[] secret, string label, int length)
    {
        byte[] name = Encoding.ASCII.GetBytes("tls13 " + label);
        byte[] info = [(byte)(length / 256), (byte)(length % 256), (byte)name.Length, .. name, 0];
        IDigest digest = sha384 ? new Sha384Digest() : new Sha256Digest();
        var generator = new HkdfBytesGenerator(digest);
        generator.Init(HkdfParameters.SkipExtractParameters(secret, info));
        byte[] output = new byte[length];
        generator.GenerateBytes(output, 0, length);
        return output;
    }

    public static (byte[] Key, byte[] Iv) KeyAndIv(CipherSuite suite, byte[] secret)
    {
        bool sha384 = suite.Hash == HashAlgorithmName.SHA384;
        byte[] key = ExpandLabel(sha384, secret, "key", suite.Aead.KeyLength);
        return (key, ExpandLabel(sha384, secret, "iv", 12));
    }

    public static byte[] NextSecret(CipherSuite suite, byte[] secret) =>
        ExpandLabel(suite.Hash == HashAlgorithmName.SHA384, secret, "traffic upd", secret.Length);
}
