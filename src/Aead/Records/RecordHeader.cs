using System.Buffers.Binary;

namespace Aead.Records;

/// <summary>The five bytes before every record, in both versions (RFC 8446 §5.1, RFC 5246 §6.2.1).</summary>
/// <param name="Type">The outer content type, unchecked.</param>
/// <param name="Version">legacy_record_version.</param>
/// <param name="FragmentLength">Bytes that follow the header.</param>
public readonly record struct RecordHeader(ContentType Type, ushort Version, int FragmentLength)
{
    /// <summary>
    /// Reads the header at the front of <paramref name="record"/> (at least <see cref="Length"/> bytes).
    /// </summary>
    public static RecordHeader Read(ReadOnlySpan<byte> record) => new(
        (ContentType)record[0],
        BinaryPrimitives.ReadUInt16BigEndian(record[1..]),
        BinaryPrimitives.ReadUInt16BigEndian(record[3..]));

    /// <summary>
    /// Writes the header to the front of <paramref name="record"/> (at least <see cref="Length"/> bytes).
    /// </summary>
    public void Write(Span<byte> record)
    {
        record[0] = (byte)Type;
        BinaryPrimitives.WriteUInt16BigEndian(record[1..], Version);
        BinaryPrimitives.WriteUInt16BigEndian(record[3..], checked((ushort)FragmentLength));
    }

    /// <summary>Bytes of a header.</summary>
    public const int Length = 5;

    /// <summary>Bytes of plaintext one record carries at most: 2^14.</summary>
    public const int PlaintextLengthMax = 16384;

    /// <summary>
    /// The version in every protected record's header: that of TLS 1.2, also in TLS 1.3 (RFC 8446 §5.2).
    /// </summary>
    internal const ushort ProtectedVersion = 0x0303;
}
