using Aead;
using Aead.Records;

namespace Ktls.Transport;

/// <summary>What a control record asks of its connection.</summary>
internal enum PostHandshakeAction
{
    /// <summary>Nothing.</summary>
    Continue,

    /// <summary>The peer's next record has its next keys.</summary>
    UpdateReadKeys,

    /// <summary>The same, and ours must follow before our next data.</summary>
    UpdateBothKeys,

    /// <summary>TLS 1.2: say that there will be no renegotiation.</summary>
    DeclineRenegotiation,

    /// <summary>close_notify: a clean end.</summary>
    EndOfData,

    /// <summary>The peer gave up with a fatal alert.</summary>
    PeerAborted,

    /// <summary>The peer is wrong.</summary>
    Refuse,
}

/// <summary>
/// Judges the control records of an established connection, for both versions and both record layers, and bounds how many a peer may send:
/// each costs us work and carries nothing.
/// </summary>
internal sealed class PostHandshake(TlsVersion version)
{
    private double _credit = ControlRecordsBurst;
    private long _creditTick = Environment.TickCount64;
    private int _renegotiations;

    /// <summary>With Refuse: the alert to send. With PeerAborted: the alert that came.</summary>
    public AlertDescription Alert { get; private set; }

    /// <summary>With Refuse: the sentence for the log.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Judges one record.</summary>
    public PostHandshakeAction Judge(ContentType type, ReadOnlySpan<byte> fragment)
    {
        if (!TakeCredit())
        {
            return Refuse(AlertDescription.UnexpectedMessage, "the client sends control records faster than any client needs to");
        }

        return type switch
        {
            ContentType.Alert => JudgeAlert(fragment),
            ContentType.Handshake when version == TlsVersion.Tls13 => JudgeHandshake13(fragment),
            ContentType.Handshake => JudgeHandshake12(fragment),
            _ => Refuse(AlertDescription.UnexpectedMessage, "the client sent a record of an unexpected type"),
        };
    }

    /// <summary>A KeyUpdate message (RFC 8446 §4.6.3), 5 bytes.</summary>
    public static ReadOnlySpan<byte> KeyUpdateMessage(bool requestPeer) => requestPeer ? [KeyUpdate, 0, 0, 1, 1] : [KeyUpdate, 0, 0, 1, 0];

    /// <summary>An alert message (RFC 8446 §6, RFC 5246 §7.2), 2 bytes: all are fatal but those that end or decline something in good order.</summary>
    public static byte[] AlertMessage(AlertDescription alert)
    {
        bool warning = alert is AlertDescription.CloseNotify or AlertDescription.NoRenegotiation;
        return [(byte)(warning ? 1 : 2), (byte)alert];
    }

    private PostHandshakeAction JudgeAlert(ReadOnlySpan<byte> fragment)
    {
        // RFC 8446 §5.1: an alert is one record. Nobody splits TLS 1.2's either.
        if (fragment.Length != 2)
        {
            return Refuse(AlertDescription.DecodeError, "the client sent an alert that is not two bytes long");
        }

        Alert = (AlertDescription)fragment[1];
        if (Alert == AlertDescription.CloseNotify)
        {
            return PostHandshakeAction.EndOfData;
        }

        // RFC 8446 §6: in TLS 1.3 only close_notify and user_canceled are not errors, whatever the level says.
        bool warning = Alert == AlertDescription.UserCanceled || (version == TlsVersion.Tls12 && fragment[0] == 1);
        return warning ? PostHandshakeAction.Continue : PostHandshakeAction.PeerAborted;
    }

    private PostHandshakeAction JudgeHandshake13(ReadOnlySpan<byte> fragment)
    {
        // RFC 8446 §5.1: a message before a key change ends its record, so a KeyUpdate is a record of its own.
        if (fragment.Length == 5 && fragment[..4].SequenceEqual((ReadOnlySpan<byte>)[KeyUpdate, 0, 0, 1]))
        {
            return fragment[4] switch
            {
                0 => PostHandshakeAction.UpdateReadKeys,
                1 => PostHandshakeAction.UpdateBothKeys,
                _ => Refuse(AlertDescription.IllegalParameter, "the client sent a KeyUpdate with an unknown request"),
            };
        }

        return Refuse(AlertDescription.UnexpectedMessage, "the client sent a handshake message other than KeyUpdate");
    }

    private PostHandshakeAction JudgeHandshake12(ReadOnlySpan<byte> fragment)
    {
        if (fragment.IsEmpty || fragment[0] != ClientHello)
        {
            return Refuse(AlertDescription.UnexpectedMessage, "the client sent a handshake message after the handshake");
        }

        return ++_renegotiations <= RenegotiationsMax
            ? PostHandshakeAction.DeclineRenegotiation
            : Refuse(AlertDescription.UnexpectedMessage, "the client keeps asking for a renegotiation");
    }

    private bool TakeCredit()
    {
        long now = Environment.TickCount64;
        _credit = Math.Min(ControlRecordsBurst, _credit + ((now - _creditTick) * ControlRecordsPerSecond / 1000));
        _creditTick = now;
        _credit -= 1;
        return _credit >= 0;
    }

    private PostHandshakeAction Refuse(AlertDescription alert, string reason)
    {
        Alert = alert;
        Reason = reason;
        return PostHandshakeAction.Refuse;
    }

    /// <summary>The handshake type of a KeyUpdate (RFC 8446 §4).</summary>
    public const byte KeyUpdate = 24;

    // RFC 8446 §4.
    private const byte ClientHello = 1;

    // One is a client's wish; it was declined. Each answer waits in the queue of a client that does not read.
    private const int RenegotiationsMax = 3;

    // A client that renews its keys with every 2^24 records needs one in minutes; tests and tools do it by hand, a few at a time.
    private const double ControlRecordsBurst = 32;
    private const double ControlRecordsPerSecond = 1;
}
