using Aead.Records;

namespace Ktls.Handshake;

// BouncyCastle bounds neither the number of records of a handshake nor their kinds: empty hands, warnings and
// change_cipher_spec could keep it busy for as long as the deadline allows. A client of ours needs two to six
// records and about 2 KiB, so the bounds below are generous.

/// <summary>
/// Judges record headers, before the fragment is read, and bounds what one handshake may cost.
/// </summary>
internal sealed class RecordAdmission
{
    private int _records;
    private int _bytes;
    private int _changeCipherSpecs;
    private int _alerts;

    /// <summary>Why this header is refused, or null.</summary>
    /// <param name="header">5 bytes.</param>
    /// <param name="isPastChangeCipherSpec">TLS 1.2: the client encrypts from here on.</param>
    public HandshakeRefusal? Judge(ReadOnlySpan<byte> header, bool isPastChangeCipherSpec)
    {
        RecordHeader record = RecordHeader.Read(header);
        if (record.Type is < ContentType.ChangeCipherSpec or > ContentType.ApplicationData || header[1] != 3)
        {
            return _records == 0
                ? ForeignProtocol.Recognize(header)
                : new HandshakeRefusal(AlertDescription.UnexpectedMessage,
                    "The client sent what is no TLS record.");
        }

        bool isProtected = IsProtected(record.Type, isPastChangeCipherSpec);
        int lengthMax = RecordHeader.PlaintextLengthMax + (isProtected ? ExpansionMax : 0);
        if (record.FragmentLength > lengthMax)
        {
            return new HandshakeRefusal(AlertDescription.RecordOverflow,
                $"The client sent a record of {record.FragmentLength} bytes; {lengthMax} are allowed.");
        }

        if (record.FragmentLength == 0)
        {
            return new HandshakeRefusal(AlertDescription.UnexpectedMessage,
                "The client sent an empty record.");
        }

        return Count(record);
    }

    /// <summary>
    /// Whether a record of this type is encrypted: TLS 1.3 tells by the type, TLS 1.2 by the moment.
    /// </summary>
    public static bool IsProtected(ContentType type, bool isPastChangeCipherSpec) =>
        type == ContentType.ApplicationData || isPastChangeCipherSpec;

    private HandshakeRefusal? Count(RecordHeader record)
    {
        _records++;
        _bytes += RecordHeader.Length + record.FragmentLength;
        _changeCipherSpecs += record.Type == ContentType.ChangeCipherSpec ? 1 : 0;
        _alerts += record.Type == ContentType.Alert ? 1 : 0;
        string? excess = this switch
        {
            { _changeCipherSpecs: > ChangeCipherSpecsMax } => $"{ChangeCipherSpecsMax} change_cipher_specs",
            { _alerts: > AlertsMax } => $"{AlertsMax} alerts",
            { _records: > RecordsMax } => $"{RecordsMax} records",
            { _bytes: > BytesMax } => $"{BytesMax} bytes",
            _ => null,
        };
        return excess is null
            ? null
            : new HandshakeRefusal(AlertDescription.UnexpectedMessage,
                $"The client sent more than {excess} in one handshake.");
    }

    /// <summary>Records of one handshake at most: a ClientHello in 1 KiB pieces fits twice.</summary>
    public const int RecordsMax = 64;

    /// <summary>Bytes of one handshake at most, headers included: the longest message four times.</summary>
    public const int BytesMax = 128 * 1024;

    /// <summary>RFC 8446 appendix D.4 has clients send one, two after a HelloRetryRequest.</summary>
    public const int ChangeCipherSpecsMax = 4;

    /// <summary>Plaintext alerts at most; a fatal one ends the handshake anyway.</summary>
    public const int AlertsMax = 4;

    /// <summary>RFC 8446 §5.2: what encryption may add to a fragment, in bytes.</summary>
    public const int ExpansionMax = 256;
}
