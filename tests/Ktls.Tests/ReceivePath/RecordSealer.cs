using System.Buffers.Binary;
using Aead;
using Aead.Algorithms;
using Aead.Keys;
using Aead.Records;

namespace Ktls.Tests.ReceivePath;

/// <summary>
/// Makes records by the letter of the RFCs and without the product's encryptor, which pads nothing and forgets no number: of any number, with
/// any padding (RFC 8446 §5.2 to §5.4, RFC 5246 §6.2.3.3, RFC 5288 §3, RFC 7905 §2).
/// </summary>
internal sealed class RecordSealer : IDisposable
{
    private readonly DirectionKeys _keys;
    private IAead _aead;

    /// <param name="keys">Taken over.</param>
    public RecordSealer(DirectionKeys keys)
    {
        _keys = keys;
        SequenceNumber = keys.SequenceNumber;
        _aead = keys.Suite.Aead.Create(keys.Key);
    }

    /// <summary>The number of the next record.</summary>
    public ulong SequenceNumber { get; set; }

    /// <summary>The next generation of keys (RFC 8446 §7.2).</summary>
    public void UpdateKeys()
    {
        _keys.Update();
        _aead.Dispose();
        _aead = _keys.Suite.Aead.Create(_keys.Key);
        SequenceNumber = 0;
    }

    /// <summary>One record.</summary>
    public byte[] Seal(ContentType type, ReadOnlySpan<byte> content, int padding)
    {
        CipherSuite suite = _keys.Suite;
        bool tls13 = suite.Version == TlsVersion.Tls13;
        byte[] inner = tls13 ? [.. content, (byte)type, .. new byte[padding]] : [.. content];
        int body = RecordHeader.Length + suite.ExplicitNonceLength;
        byte[] record = new byte[body + inner.Length + AeadAlgorithm.TagLength];
        record[0] = (byte)(tls13 ? ContentType.ApplicationData : type);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(1), Tls12);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(3), (ushort)(record.Length - RecordHeader.Length));
        if (suite.ExplicitNonceLength > 0)
        {
            BinaryPrimitives.WriteUInt64BigEndian(record.AsSpan(RecordHeader.Length), SequenceNumber);
        }

        _aead.Encrypt(
            Nonce(), AdditionalData(record, content.Length), inner, record.AsSpan(body, inner.Length), record.AsSpan(body + inner.Length));
        SequenceNumber++;
        return record;
    }

    public void Dispose()
    {
        _aead.Dispose();
        _keys.Dispose();
    }

    private byte[] Nonce()
    {
        byte[] number = new byte[AeadAlgorithm.NonceLength];
        BinaryPrimitives.WriteUInt64BigEndian(number.AsSpan(4), SequenceNumber);
        return _keys.Suite.ExplicitNonceLength > 0
            ? [.. _keys.Iv, .. number[4..]]
            : [.. number.Zip(_keys.Iv.ToArray(), (a, b) => (byte)(a ^ b))];
    }

    private byte[] AdditionalData(byte[] record, int contentLength)
    {
        if (_keys.Suite.Version == TlsVersion.Tls13)
        {
            return record[..RecordHeader.Length];
        }

        byte[] data = new byte[8 + RecordHeader.Length];
        BinaryPrimitives.WriteUInt64BigEndian(data, SequenceNumber);
        record.AsSpan(0, 3).CopyTo(data.AsSpan(8));
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(11), (ushort)contentLength);
        return data;
    }

    private const ushort Tls12 = 0x0303;
}
