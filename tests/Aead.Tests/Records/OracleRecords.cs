using Aead.Algorithms;
using Aead.Records;
using Aead.Tests.Keys;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Modes;
using Org.BouncyCastle.Crypto.Parameters;

namespace Aead.Tests.Records;

/// <summary>
/// A second record layer: BouncyCastle's AEADs, with nonce and additional data built byte by byte from RFC
/// 8446 §5, RFC 5288 §3 and RFC 7905 §2, without the product's code. It can also send what ours never does:
/// padding, other explicit nonces, illegal records.
/// </summary>
internal sealed class OracleRecords(CipherSuite suite, byte[] key, byte[] iv, ulong sequenceNumber)
{
    private ulong _sequenceNumber = sequenceNumber;

    public static OracleRecords Create(CipherSuite suite, int seed, ulong? sequenceNumber = null)
    {
        (byte[] key, byte[] iv) = RecordKeys.Oracle(suite, seed);
        return new OracleRecords(suite, key, iv, sequenceNumber ?? RecordKeys.FirstNumber(suite));
    }

    private bool IsTls13 => suite.Version == TlsVersion.Tls13;

    private bool HasExplicitNonce => !IsTls13 && suite.Aead != AeadAlgorithm.ChaCha20Poly1305;

    /// <summary>One record of this content, under the next sequence number.</summary>
    public byte[] Encrypt(ContentType type, byte[] content, int padding = 0, ulong? explicitNonce = null) =>
        IsTls13
            ? EncryptInner([.. content, (byte)type, .. new byte[padding]])
            : EncryptTls12(type, content, explicitNonce ?? _sequenceNumber);

    /// <summary>TLS 1.3: one record of exactly this TLSInnerPlaintext.</summary>
    public byte[] EncryptInner(byte[] inner, byte outerType = 23, ushort version = 0x0303)
    {
        int length = inner.Length + 16;
        byte[] header = [outerType, (byte)(version >> 8), (byte)version, (byte)(length >> 8), (byte)length];
        byte[] nonce = XorNonce(_sequenceNumber++);
        return [.. header, .. Run(true, nonce, header, inner)!];
    }

    /// <summary>The content of the next record, or null when it is not authentic.</summary>
    public (ContentType Type, byte[] Content)? Decrypt(ReadOnlySpan<byte> record)
    {
        byte[] fragment = record[5..].ToArray();
        ulong number = _sequenceNumber++;
        if (IsTls13)
        {
            byte[]? inner = Run(false, XorNonce(number), record[..5].ToArray(), fragment);
            int last = inner is null ? -1 : Array.FindLastIndex(inner, value => value != 0);
            return last < 0 ? null : ((ContentType)inner![last], inner[..last]);
        }

        int skip = HasExplicitNonce ? 8 : 0;
        byte[] nonce = HasExplicitNonce ? [.. iv, .. fragment[..8]] : XorNonce(number);
        byte[] additional = AdditionalData12(number, record[0], fragment.Length - skip - 16);
        byte[]? content = Run(false, nonce, additional, fragment[skip..]);
        return content is null ? null : ((ContentType)record[0], content);
    }

    private byte[] EncryptTls12(ContentType type, byte[] content, ulong explicitNonce)
    {
        ulong number = _sequenceNumber++;
        byte[] sent = HasExplicitNonce ? BigEndian(explicitNonce) : [];
        byte[] nonce = HasExplicitNonce ? [.. iv, .. sent] : XorNonce(number);
        byte[] body = Run(true, nonce, AdditionalData12(number, (byte)type, content.Length), content)!;
        int length = sent.Length + body.Length;
        return [(byte)type, 3, 3, (byte)(length >> 8), (byte)length, .. sent, .. body];
    }

    private byte[] XorNonce(ulong number)
    {
        byte[] nonce = [.. iv];
        for (int i = 0; i < 8; i++)
        {
            nonce[4 + i] ^= BigEndian(number)[i];
        }

        return nonce;
    }

    private static byte[] AdditionalData12(ulong number, byte type, int length) =>
        [.. BigEndian(number), type, 3, 3, (byte)(length >> 8), (byte)length];

    private static byte[] BigEndian(ulong value) =>
        [.. Enumerable.Range(0, 8).Select(i => (byte)(value >> (56 - (8 * i))))];

    private byte[]? Run(bool encrypt, byte[] nonce, byte[] additionalData, byte[] input)
    {
        IAeadCipher cipher = suite.Aead == AeadAlgorithm.ChaCha20Poly1305
            ? new Org.BouncyCastle.Crypto.Modes.ChaCha20Poly1305()
            : new GcmBlockCipher(AesUtilities.CreateEngine());
        cipher.Init(encrypt, new AeadParameters(new KeyParameter(key), 128, nonce, additionalData));
        byte[] output = new byte[cipher.GetOutputSize(input.Length)];
        int length = cipher.ProcessBytes(input, 0, input.Length, output, 0);
        try
        {
            length += cipher.DoFinal(output, length);
        }
        catch (InvalidCipherTextException)
        {
            return null;
        }

        return output[..length];
    }
}
