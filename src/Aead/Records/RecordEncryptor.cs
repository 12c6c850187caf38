using System.Buffers.Binary;
using System.Security.Cryptography;
using Aead.Algorithms;
using Aead.Keys;

namespace Aead.Records;

/// <summary>
/// Protects the records of one direction, in place. Owns the direction's keys and its sequence number, which
/// nobody else stores and which never wraps. Not thread-safe: one writer owns a direction.
/// </summary>
public sealed class RecordEncryptor : IDisposable
{
    private readonly DirectionKeys _keys;
    private IAead _aead;

    /// <summary>Takes <paramref name="keys"/> over; the caller's instance is empty afterwards.</summary>
    public RecordEncryptor(DirectionKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _aead = keys.MoveKeyToAead();
        _keys = keys.Move();
    }

    /// <summary>
    /// Bytes to leave before the fragment: header and, for TLS 1.2 GCM, the explicit nonce (5 or 13).
    /// </summary>
    public int PrefixLength => RecordHeader.Length + _keys.Suite.ExplicitNonceLength;

    /// <summary>
    /// Bytes to leave behind the fragment: tag and, for TLS 1.3, the content type (16 or 17).
    /// </summary>
    public int SuffixLength => RecordProtection.InnerTypeLength(_keys.Suite) + AeadAlgorithm.TagLength;

    /// <summary>What the usage limit demands before the next record of data.</summary>
    public UsageAction Usage => _keys.Usage;

    /// <summary>
    /// Encrypts the fragment at <paramref name="record"/>[PrefixLength..PrefixLength+fragmentLength] where it
    /// lies and writes header and tag around it.
    /// </summary>
    /// <param name="type">The true content type: alert, handshake or application_data.</param>
    /// <param name="record">At least PrefixLength + fragmentLength + SuffixLength bytes.</param>
    /// <param name="fragmentLength">0 to 16 384 bytes; 0 only for application_data.</param>
    /// <returns>Length of the whole record.</returns>
    /// <exception cref="ArgumentException">
    /// The type is never protected, or the fragment may not be empty, or the buffer is too short.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The usage limit says Close (alerts have a few records more), or the sequence number is exhausted.
    /// </exception>
    public int Encrypt(ContentType type, Span<byte> record, int fragmentLength)
    {
        CheckArguments(type, record, fragmentLength);
        CheckUsage(type);

        // The number is spent before it is used: whatever fails below, no nonce comes twice.
        ulong sequenceNumber = _keys.TakeSequenceNumber();
        CipherSuite suite = _keys.Suite;
        int innerLength = fragmentLength + RecordProtection.InnerTypeLength(suite);
        RecordHeader header = WriteHeader(suite, type, record, innerLength, sequenceNumber);
        if (suite.Version == TlsVersion.Tls13)
        {
            record[PrefixLength + fragmentLength] = (byte)type;
        }

        Span<byte> nonce = stackalloc byte[AeadAlgorithm.NonceLength];
        RecordProtection.WriteNonce(_keys.Iv, sequenceNumber, nonce);
        Span<byte> additionalData = stackalloc byte[RecordProtection.AdditionalDataLengthMax];
        int length = RecordProtection.WriteAdditionalData(suite, header, sequenceNumber, additionalData);

        Span<byte> inner = record.Slice(PrefixLength, innerLength);
        Span<byte> tag = record.Slice(PrefixLength + innerLength, AeadAlgorithm.TagLength);
        _aead.Encrypt(nonce, additionalData[..length], inner, inner, tag);

        // The IV but for a few bits.
        CryptographicOperations.ZeroMemory(nonce);
        return RecordHeader.Length + header.FragmentLength;
    }

    /// <summary>
    /// TLS 1.3: the next keys, from the next record on. Call right after the KeyUpdate message has been
    /// encrypted.
    /// </summary>
    /// <exception cref="InvalidOperationException">TLS 1.2 has no KeyUpdate.</exception>
    public void UpdateKeys()
    {
        _keys.Update();
        _aead.Dispose();
        _aead = _keys.MoveKeyToAead();
    }

    /// <summary>Zeroes the keys.</summary>
    public void Dispose()
    {
        _keys.Dispose();
        _aead.Dispose();
    }

    private static RecordHeader WriteHeader(CipherSuite suite, ContentType type, Span<byte> record,
        int innerLength, ulong sequenceNumber)
    {
        int fragmentLength = suite.ExplicitNonceLength + innerLength + AeadAlgorithm.TagLength;
        ContentType outerType = suite.Version == TlsVersion.Tls13 ? ContentType.ApplicationData : type;
        var header = new RecordHeader(outerType, RecordHeader.ProtectedVersion, fragmentLength);
        header.Write(record);
        if (suite.ExplicitNonceLength > 0)
        {
            // RFC 5288 §3 allows the sequence number as the explicit part, and nothing is surer never to
            // repeat.
            BinaryPrimitives.WriteUInt64BigEndian(record[RecordHeader.Length..], sequenceNumber);
        }

        return header;
    }

    private void CheckArguments(ContentType type, ReadOnlySpan<byte> record, int fragmentLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fragmentLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fragmentLength, RecordHeader.PlaintextLengthMax);
        if (type is not (ContentType.Alert or ContentType.Handshake or ContentType.ApplicationData))
        {
            throw new ArgumentException($"Records of type {type} are never protected.", nameof(type));
        }

        if (fragmentLength == 0 && type != ContentType.ApplicationData)
        {
            throw new ArgumentException(
                $"A fragment of type {type} may not be empty (RFC 8446 §5.1).", nameof(type));
        }

        int length = PrefixLength + fragmentLength + SuffixLength;
        if (record.Length < length)
        {
            throw new ArgumentException(
                $"{fragmentLength} bytes of content take {length} bytes of buffer, not {record.Length}.",
                nameof(record));
        }
    }

    private void CheckUsage(ContentType type)
    {
        if (_keys.Usage != UsageAction.Close)
        {
            return;
        }

        if (type != ContentType.Alert || !_keys.Suite.Aead.Limit.AllowsAlert(_keys.SequenceNumber))
        {
            throw new InvalidOperationException(
                $"The key has protected {_keys.SequenceNumber} records and may protect no more: close.");
        }
    }
}
