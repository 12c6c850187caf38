using System.Text;
using Aead.Records;

namespace Ktls.Handshake;

/// <summary>
/// Recognizes by its first five bytes what is sent to a TLS port by mistake, to say so in the log.
/// </summary>
internal static class ForeignProtocol
{
    /// <summary>The refusal of a first record that is none.</summary>
    /// <param name="start">5 bytes.</param>
    public static HandshakeRefusal Recognize(ReadOnlySpan<byte> start)
    {
        // An SSL 2.0 hello: a two-byte length with its top bit set, then msg_type 1 (RFC 5246 appendix E.2).
        if ((start[0] & 0x80) != 0 && start[2] == 1)
        {
            return new HandshakeRefusal(AlertDescription.ProtocolVersion,
                "The client sent an SSL 2.0 hello.");
        }

        string text = Encoding.Latin1.GetString(start);
        foreach ((string prefix, string protocol) in Starts)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                return new HandshakeRefusal(AlertDescription.UnexpectedMessage,
                    $"The client speaks {protocol} where TLS is expected.");
            }
        }

        return new HandshakeRefusal(AlertDescription.UnexpectedMessage, "The client does not speak TLS.");
    }

    private static readonly (string Prefix, string Protocol)[] Starts =
    [
        ("GET ", "plain HTTP"),
        ("HEAD ", "plain HTTP"),
        ("POST ", "plain HTTP"),
        ("PUT ", "plain HTTP"),
        ("DELET", "plain HTTP"),
        ("OPTIO", "plain HTTP"),
        ("PATCH", "plain HTTP"),
        ("TRACE", "plain HTTP"),
        ("CONNE", "plain HTTP"),
        ("PRI *", "plain HTTP/2"),
        ("HTTP/", "plain HTTP"),
        ("PROXY", "the PROXY protocol"),
        ("\r\n\r\n\0", "the PROXY protocol"),
        ("SSH-", "SSH"),
    ];
}
