using System.Buffers.Binary;
using Aead.Algorithms;

namespace Aead.Records;

/// <summary>
/// How a suite lays out a protected record: lengths, nonce, additional data. The same for both directions.
/// </summary>
/// <remarks>
/// <code>
/// TLS 1.2 GCM       | header 5 | explicit nonce 8 | content                    | tag 16 |
/// TLS 1.2 ChaCha20  | header 5 | content                                       | tag 16 |
/// TLS 1.3           | header 5 | content + type 1 + zeros (all encrypted)      | tag 16 |
/// </code>
/// </remarks>
internal static class RecordProtection
{
    /// <summary>Bytes a fragment has beyond its content (in TLS 1.3: at least).</summary>
    public static int ExpansionLength(CipherSuite suite) =>
        suite.ExplicitNonceLength + InnerTypeLength(suite) + AeadAlgorithm.TagLength;

    /// <summary>
    /// 1 in TLS 1.3, where the content type is encrypted behind the content (RFC 8446 §5.2), else 0.
    /// </summary>
    public static int InnerTypeLength(CipherSuite suite) => suite.Version == TlsVersion.Tls13 ? 1 : 0;

    /// <summary>
    /// TLS 1.2 GCM: IV, then the explicit part (RFC 5288 §3). All others: IV XOR sequence number (RFC 8446
    /// §5.3, RFC 7905 §2).
    /// </summary>
    /// <param name="iv">4 or 12 bytes, which tells the two apart.</param>
    /// <param name="number">The explicit part or the sequence number.</param>
    /// <param name="nonce">12 bytes.</param>
    public static void WriteNonce(ReadOnlySpan<byte> iv, ulong number, Span<byte> nonce)
    {
        Span<byte> low = nonce[^sizeof(ulong)..];
        low.Clear();
        iv.CopyTo(nonce);
        BinaryPrimitives.WriteUInt64BigEndian(low, BinaryPrimitives.ReadUInt64BigEndian(low) ^ number);
    }

    /// <summary>
    /// TLS 1.3: the header as it is on the wire (RFC 8446 §5.2). TLS 1.2: sequence number, type, version,
    /// length of the content (RFC 5246 §6.2.3.3).
    /// </summary>
    /// <returns>Bytes written.</returns>
    public static int WriteAdditionalData(CipherSuite suite, RecordHeader header, ulong sequenceNumber,
        Span<byte> additionalData)
    {
        if (suite.Version == TlsVersion.Tls13)
        {
            header.Write(additionalData);
            return RecordHeader.Length;
        }

        BinaryPrimitives.WriteUInt64BigEndian(additionalData, sequenceNumber);
        int contentLength = header.FragmentLength - ExpansionLength(suite);
        (header with { FragmentLength = contentLength }).Write(additionalData[sizeof(ulong)..]);
        return AdditionalDataLengthMax;
    }

    /// <summary>Bytes of the longer kind of additional data, that of TLS 1.2.</summary>
    public const int AdditionalDataLengthMax = sizeof(ulong) + RecordHeader.Length;
}
