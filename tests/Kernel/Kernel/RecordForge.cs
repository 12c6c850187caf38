using Aead;
using Aead.Algorithms;
using Aead.Keys;
using Aead.Records;

namespace Kernel.Tests.Kernel;

/// <summary>
/// Records that verify and that <see cref="RecordEncryptor"/> refuses to make, because no honest sender would. Shares the encryptor's
/// sequence: the caller says which number it is.
/// </summary>
internal static class RecordForge
{
    /// <summary>TLS 1.2: a record of this type. TLS 1.3: the inner plaintext is the content, this type and zeros.</summary>
    /// <param name="keys">Not used up.</param>
    /// <param name="number">The record's sequence number.</param>
    /// <param name="type">Null leaves out the type: TLS 1.3 content of zeros alone.</param>
    /// <param name="content">May be empty.</param>
    /// <param name="padding">TLS 1.3 only.</param>
    public static byte[] Seal(DirectionKeys keys, ulong number, ContentType? type, ReadOnlySpan<byte> content, int padding = 0)
    {
        CipherSuite suite = keys.Suite;
        bool inner = suite.Version == TlsVersion.Tls13;
        byte[] plaintext = !inner ? content.ToArray()
            : type is ContentType known ? [.. content, (byte)known, .. new byte[padding]]
            : [.. content, .. new byte[padding]];
        byte[] record = new byte[RecordHeader.Length + suite.ExplicitNonceLength + plaintext.Length + AeadAlgorithm.TagLength];
        ContentType outer = inner ? ContentType.ApplicationData : type!.Value;
        RecordHeader header = new(outer, (ushort)TlsVersion.Tls12, record.Length - RecordHeader.Length);
        header.Write(record);
        Span<byte> body = record.AsSpan(RecordHeader.Length);
        if (suite.ExplicitNonceLength > 0)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(body, number);
        }

        byte[] nonce = new byte[AeadAlgorithm.NonceLength];
        RecordProtection.WriteNonce(keys.Iv, number, nonce);
        byte[] additional = new byte[RecordProtection.AdditionalDataLengthMax];
        int length = RecordProtection.WriteAdditionalData(suite, header, number, additional);
        using IAead aead = suite.Aead.Create(keys.Key);
        aead.Encrypt(nonce, additional.AsSpan(0, length), plaintext, body.Slice(suite.ExplicitNonceLength, plaintext.Length),
            body[^AeadAlgorithm.TagLength..]);
        return record;
    }
}
