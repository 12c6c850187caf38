using Org.BouncyCastle.Tls;
using AlertCode = Aead.Records.AlertDescription;

namespace Ktls.Handshake;

/// <summary>
/// Turns what BouncyCastle throws into a refusal; the sentences hold no byte of the peer's.
/// </summary>
internal static class RefusalReason
{
    /// <summary>The refusal for an exception out of BouncyCastle.</summary>
    public static HandshakeRefusal From(Exception exception) => exception switch
    {
        TlsFatalAlertReceived received => new HandshakeRefusal((AlertCode)received.AlertDescription,
            $"The client sent the fatal alert {Name(received.AlertDescription)}."),
        HandshakeException ours => new HandshakeRefusal((AlertCode)ours.AlertDescription, ours.Reason),
        TlsFatalAlert { AlertDescription: not AlertDescription.internal_error } fatal =>
            new HandshakeRefusal((AlertCode)fatal.AlertDescription, Sentence(fatal.AlertDescription)),
        _ when IsMalformed(exception) || IsMalformed(exception.InnerException) =>
            new HandshakeRefusal(AlertCode.DecodeError, Sentence(AlertDescription.decode_error)),
        _ => new HandshakeRefusal(AlertCode.InternalError,
            $"The handshake failed inside: {(exception.InnerException ?? exception).GetType().Name}."),
    };

    /// <summary>Whether a message ended before what its own lengths claim: all that BouncyCastle reads from is a message.</summary>
    public static bool IsMalformed(Exception? exception) => exception is EndOfStreamException;

    private static string Sentence(short alert) => alert switch
    {
        AlertDescription.unexpected_message => "The client sent a message out of turn.",
        AlertDescription.bad_record_mac => "A record of the client does not decrypt.",
        AlertDescription.record_overflow => "A record of the client is too long.",
        AlertDescription.decode_error => "A message of the client is malformed.",
        AlertDescription.illegal_parameter => "A message of the client holds a value that is not allowed.",
        AlertDescription.decrypt_error => "The client's Finished does not verify.",
        AlertDescription.missing_extension => "The client's hello lacks an extension that TLS 1.3 demands.",
        AlertDescription.protocol_version => "The client offers no version of ours.",
        AlertDescription.inappropriate_fallback => "The client fell back below what both sides speak.",
        _ => $"The handshake cannot go on: {Name(alert)}.",
    };

    private static string Name(short alert) =>
        AlertDescription.GetName(alert) is { } name && name != "UNKNOWN" ? name : $"number {alert}";
}
