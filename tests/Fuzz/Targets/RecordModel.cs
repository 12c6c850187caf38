using Aead;
using Aead.Records;
using Aead.Tests.Records;

namespace Fuzz.Targets;

/// <summary>
/// What must come of a script, worked out without decrypting: what arrives is authentic as far as it is, byte for byte, what was sealed.
/// </summary>
internal sealed class RecordModel
{
    private readonly CipherSuite _suite;
    private int _emptyRecords;

    public RecordModel(CipherSuite suite, RecordScript script)
    {
        _suite = suite;
        ReadOnlySpan<byte> left = script.Wire;
        foreach (SealedRecord record in script.Sealed)
        {
            if (!left.StartsWith(record.Wire) || Alert is not null)
            {
                break;
            }

            Alert = Receive(record);
            left = left[(Alert is null ? record.Wire.Length : 0)..];
        }

        Alert ??= JudgeForgery(left);
        PendingLength = left.Length;
    }

    /// <summary>All that may ever be seen of the stream.</summary>
    public List<Stretch> Expected { get; } = [];

    /// <summary>Why it ends; null: it waits for more.</summary>
    public AlertDescription? Alert { get; private set; }

    /// <summary>Bytes that are not used up.</summary>
    public int PendingLength { get; }

    // RFC 8446 section 5, RFC 5246 section 6.2.
    private AlertDescription? Receive(SealedRecord record)
    {
        if (JudgeHeader(record.Wire) is { } refused)
        {
            return refused;
        }

        bool isData = record.Type == (byte)ContentType.ApplicationData;
        bool isControl = record.Type is (byte)ContentType.Alert or (byte)ContentType.Handshake;
        if (!record.HasType || (!isData && !isControl) || (isControl && record.Content.Length == 0))
        {
            return AlertDescription.UnexpectedMessage;
        }

        _emptyRecords = isData && record.Content.Length == 0 ? _emptyRecords + 1 : 0;
        if (_emptyRecords > 32)
        {
            return AlertDescription.UnexpectedMessage;
        }

        Expected.Add(new Stretch((ContentType)record.Type, record.Content));
        return null;
    }

    // Behind the authentic part no tag verifies, so a whole record that looks like one is a bad one.
    private AlertDescription? JudgeForgery(ReadOnlySpan<byte> left)
    {
        if (left.Length < 5)
        {
            return null;
        }

        if (JudgeHeader(left) is { } refused)
        {
            return refused;
        }

        return left.Length < 5 + FragmentLength(left) ? null : AlertDescription.BadRecordMac;
    }

    private AlertDescription? JudgeHeader(ReadOnlySpan<byte> header)
    {
        bool isTls13 = _suite.Version == TlsVersion.Tls13;
        if (isTls13 ? header[0] != 23 : header[0] is not (21 or 22 or 23))
        {
            return AlertDescription.UnexpectedMessage;
        }

        if (!isTls13 && header is not [_, 3, 3, ..])
        {
            return AlertDescription.ProtocolVersion;
        }

        // The tag; and TLS 1.3's type, or the explicit nonce of GCM in TLS 1.2 (RFC 5288 section 3).
        int expansion = 16 + (isTls13 ? 1 : _suite.Name.Contains("GCM", StringComparison.Ordinal) ? 8 : 0);
        int length = FragmentLength(header);
        return length > 16384 + expansion ? AlertDescription.RecordOverflow
            : length < expansion ? AlertDescription.DecodeError
            : null;
    }

    private static int FragmentLength(ReadOnlySpan<byte> header) => (header[3] << 8) | header[4];
}
