using System.Buffers.Binary;
using System.Security.Cryptography;
using Aead.Algorithms;
using Aead.Keys;
using Aead.Pages;

namespace Aead.Records;

// The only place that sees unverified plaintext, and it sees it in the stage's hidden slot alone. Within the
// slot of one batch:
//
//     | verified application data of good records | where the next record is decrypted ... | zeros |
//     0                                           verified                      written
//
// Records are decrypted one behind the other, so what verified lies together. Whatever a record leaves
// behind its content (TLS 1.3: type and padding; a control record: all of it; a bad record: nothing, but
// that is not relied upon) is in [verified, written) and is zeroed before the one step that exposes [0,
// verified).

/// <summary>
/// Decrypts the records of one direction into hidden pages and exposes only what verified. Owns the
/// direction's keys and sequence number. A rejection is final: every further call gives it again. Not
/// thread-safe.
/// </summary>
public sealed class RecordDecryptor : IDisposable
{
    private readonly DirectionKeys _keys;
    private IAead _aead;
    private AlertDescription? _rejection;
    private byte _emptyRecords;

    /// <summary>Takes <paramref name="keys"/> over; the caller's instance is empty afterwards.</summary>
    public RecordDecryptor(DirectionKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _aead = keys.MoveKeyToAead();
        _keys = keys.Move();
    }

    /// <summary>What the usage limit demands of the peer's key.</summary>
    public UsageAction Usage => _keys.Usage;

    /// <summary>
    /// Decrypts the complete records at the front of <paramref name="ciphertext"/>, as many as fit the
    /// stage's slot, up to and including the first control record or the first bad one, and exposes the
    /// application data of the good ones in one step.
    /// </summary>
    /// <param name="ciphertext">Starts with a record's header, or is empty. Not changed.</param>
    /// <param name="stage">Where to decrypt; it always has room for one record of the largest kind.</param>
    public DecryptedBatch Decrypt(ReadOnlySpan<byte> ciphertext, DecryptStage stage)
    {
        _keys.ThrowIfDisposed();
        ArgumentNullException.ThrowIfNull(stage);
        if (_rejection is AlertDescription alert)
        {
            return new DecryptedBatch { End = BatchEnd.Rejected, Alert = alert };
        }

        try
        {
            var batch = new BatchProgress();
            BatchEnd end = DecryptRecords(ciphertext, stage.Hidden, ref batch);
            return new DecryptedBatch
            {
                ApplicationData = stage.Expose(batch.Verified, batch.Written),
                Consumed = batch.Consumed,
                End = end,
                ControlType = batch.ControlType,
                Control = batch.Control,
                Alert = _rejection.GetValueOrDefault(),
            };
        }
        catch
        {
            // Not the peer's doing, so it goes to the caller; but its sequence numbers are spent. No byte of
            // this batch may stay behind, and nothing may follow the hole it leaves in the stream.
            _rejection = AlertDescription.InternalError;
            CryptographicOperations.ZeroMemory(stage.Hidden);
            throw;
        }
    }

    /// <summary>TLS 1.3: the peer's next keys, from the next record on.</summary>
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

    private BatchEnd DecryptRecords(ReadOnlySpan<byte> ciphertext, Span<byte> hidden, ref BatchProgress batch)
    {
        BatchEnd? end = null;
        while (end is null)
        {
            end = DecryptNext(ciphertext[batch.Consumed..], hidden, ref batch);
        }

        return end.Value;
    }

    /// <returns>Null: one record of application data is done. Else what ends the batch.</returns>
    private BatchEnd? DecryptNext(ReadOnlySpan<byte> ciphertext, Span<byte> hidden, ref BatchProgress batch)
    {
        if (ciphertext.Length < RecordHeader.Length)
        {
            return BatchEnd.NeedMoreData;
        }

        RecordHeader header = RecordHeader.Read(ciphertext);
        if (JudgeHeader(header) is AlertDescription alert)
        {
            return Reject(alert);
        }

        int recordLength = RecordHeader.Length + header.FragmentLength;
        if (ciphertext.Length < recordLength)
        {
            return BatchEnd.NeedMoreData;
        }

        if (hidden.Length - batch.Verified < header.FragmentLength)
        {
            return BatchEnd.SlotFull;
        }

        ReadOnlySpan<byte> fragment = ciphertext[RecordHeader.Length..recordLength];
        BatchEnd? end = DecryptRecord(header, fragment, hidden, ref batch);
        batch.Consumed += end == BatchEnd.Rejected ? 0 : recordLength;
        return end;
    }

    // A header is judged as soon as it is there, so that a record that will be refused is never waited for
    // or kept.
    private AlertDescription? JudgeHeader(RecordHeader header)
    {
        CipherSuite suite = _keys.Suite;
        bool expected = suite.Version == TlsVersion.Tls13
            ? header.Type == ContentType.ApplicationData
            : IsProtected(header.Type);
        if (!expected)
        {
            return AlertDescription.UnexpectedMessage;
        }

        // RFC 8446 §5.1: in TLS 1.3 the version is ignored; as part of the additional data it is
        // authenticated all the same.
        if (suite.Version == TlsVersion.Tls12 && header.Version != RecordHeader.ProtectedVersion)
        {
            return AlertDescription.ProtocolVersion;
        }

        // These AEADs expand every record alike, so the plaintext's limit (2^14, and one more with TLS 1.3's
        // type: RFC 8446 §5.4) shows in the header and is stricter than the ciphertext's (2^14 + 256 and, in
        // TLS 1.2, 2^14 + 2048). All overflow with the same alert.
        int expansion = RecordProtection.ExpansionLength(suite);
        if (header.FragmentLength > RecordHeader.PlaintextLengthMax + expansion)
        {
            return AlertDescription.RecordOverflow;
        }

        return header.FragmentLength < expansion ? AlertDescription.DecodeError : null;
    }

    /// <returns>Null: application data. Else what ends the batch.</returns>
    private BatchEnd? DecryptRecord(RecordHeader header, ReadOnlySpan<byte> fragment, Span<byte> hidden,
        ref BatchProgress batch)
    {
        if (!_keys.Suite.Aead.Limit.AllowsAlert(_keys.SequenceNumber))
        {
            return Reject(AlertDescription.InternalError);
        }

        int innerLength = fragment.Length - _keys.Suite.ExplicitNonceLength - AeadAlgorithm.TagLength;
        Span<byte> inner = hidden.Slice(batch.Verified, innerLength);
        batch.Written = Math.Max(batch.Written, batch.Verified + innerLength);
        if (!TryDecryptFragment(header, fragment, inner))
        {
            return Reject(AlertDescription.BadRecordMac);
        }

        ContentType type = header.Type;
        ReadOnlySpan<byte> content = inner;
        if (_keys.Suite.Version == TlsVersion.Tls13)
        {
            int typeIndex = inner.LastIndexOfAnyExcept((byte)0);
            if (typeIndex < 0)
            {
                return Reject(AlertDescription.UnexpectedMessage);
            }

            type = (ContentType)inner[typeIndex];
            content = inner[..typeIndex];
        }

        return Classify(type, content, ref batch);
    }

    private bool TryDecryptFragment(RecordHeader header, ReadOnlySpan<byte> fragment, Span<byte> inner)
    {
        CipherSuite suite = _keys.Suite;
        ulong sequenceNumber = _keys.TakeSequenceNumber();
        bool isExplicit = suite.ExplicitNonceLength > 0;
        ulong number = isExplicit ? BinaryPrimitives.ReadUInt64BigEndian(fragment) : sequenceNumber;

        Span<byte> nonce = stackalloc byte[AeadAlgorithm.NonceLength];
        RecordProtection.WriteNonce(_keys.Iv, number, nonce);
        Span<byte> additionalData = stackalloc byte[RecordProtection.AdditionalDataLengthMax];
        int length = RecordProtection.WriteAdditionalData(suite, header, sequenceNumber, additionalData);

        ReadOnlySpan<byte> encrypted = fragment.Slice(suite.ExplicitNonceLength, inner.Length);
        ReadOnlySpan<byte> tag = fragment[^AeadAlgorithm.TagLength..];
        bool verified = _aead.TryDecrypt(nonce, additionalData[..length], encrypted, tag, inner);

        // The IV but for a few bits.
        CryptographicOperations.ZeroMemory(nonce);
        return verified;
    }

    private BatchEnd? Classify(ContentType type, ReadOnlySpan<byte> content, ref BatchProgress batch)
    {
        if (!IsProtected(type))
        {
            return Reject(AlertDescription.UnexpectedMessage);
        }

        if (type == ContentType.ApplicationData)
        {
            // Empty records are legal cover traffic (RFC 8446 §5.1), but they cost us work and their sender
            // nearly nothing.
            _emptyRecords = content.IsEmpty ? (byte)(_emptyRecords + 1) : (byte)0;
            batch.Verified += content.Length;
            return _emptyRecords > EmptyRecordsMax ? Reject(AlertDescription.UnexpectedMessage) : null;
        }

        if (content.IsEmpty)
        {
            return Reject(AlertDescription.UnexpectedMessage);
        }

        _emptyRecords = 0;
        batch.ControlType = type;
        batch.Control = content.ToArray();
        return BatchEnd.Control;
    }

    private BatchEnd Reject(AlertDescription alert)
    {
        _rejection = alert;
        return BatchEnd.Rejected;
    }

    private static bool IsProtected(ContentType type) =>
        type is ContentType.Alert or ContentType.Handshake or ContentType.ApplicationData;

    private struct BatchProgress
    {
        public int Consumed;
        public int Verified;
        public int Written;
        public ContentType ControlType;
        public ReadOnlyMemory<byte> Control;
    }

    // Empty records of application data in a row; OpenSSL tolerates as many.
    private const int EmptyRecordsMax = 32;
}
