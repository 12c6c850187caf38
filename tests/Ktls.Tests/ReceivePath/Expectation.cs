using Aead;
using Aead.Records;
using Xunit;

namespace Ktls.Tests.ReceivePath;

/// <summary>How reading ended for a consumer.</summary>
internal enum End
{
    /// <summary>After close_notify: the only end that means that everything has come.</summary>
    Clean,

    /// <summary>FIN without close_notify.</summary>
    Truncated,

    /// <summary>The client was refused, and told so.</summary>
    Refused,

    /// <summary>The consumer had enough.</summary>
    Left,

    /// <summary>The socket or the transport failed: never the right end of a story.</summary>
    Failed,
}

/// <summary>
/// What a consumer has to see of a stream. No cryptography decides it: nobody but the client can make a record that verifies, so authentic is
/// what stands where the client wrote it, as the client wrote it.
/// </summary>
/// <param name="Data">The application data of the longest authentic prefix.</param>
/// <param name="End">What follows it.</param>
/// <param name="Alert">What the user-space layer tells the client; null: it is not told anything.</param>
/// <param name="RestLength">How many bytes came behind the longest authentic prefix.</param>
internal sealed record Expectation(byte[] Data, End End, AlertDescription? Alert, int RestLength)
{
    public static Expectation Of(Story story, ClientRecords client, ReadOnlySpan<byte> wire)
    {
        int records = 0;
        ReadOnlySpan<byte> rest = wire;
        while (records < client.Genuine.Count && rest.StartsWith(client.Genuine[records]))
        {
            rest = rest[client.Genuine[records].Length..];
            records++;
            if (story.Records[records - 1].Kind == RecordKind.CloseNotify)
            {
                Assert.Equal(story.RecordsShown, records);
                return new Expectation(client.ShownData, End.Clean, AlertDescription.CloseNotify, rest.Length);
            }
        }

        Assert.Equal(story.RecordsShown, records);
        AlertDescription? alert = JudgeForgery(story.Suite, rest);
        return new Expectation(client.ShownData, alert == null ? End.Truncated : End.Refused, alert, rest.Length);
    }

    /// <returns>Null: it is no whole record, and will not become one.</returns>
    private static AlertDescription? JudgeForgery(CipherSuite suite, ReadOnlySpan<byte> rest)
    {
        if (rest.Length < RecordHeader.Length)
        {
            return null;
        }

        bool tls13 = suite.Version == TlsVersion.Tls13;
        bool knownType = rest[0] == 23 || (!tls13 && rest[0] is 21 or 22);
        if (!knownType)
        {
            return AlertDescription.UnexpectedMessage;
        }

        if (!tls13 && (rest[1], rest[2]) != (3, 3))
        {
            return AlertDescription.ProtocolVersion;
        }

        // What protection adds to the 2^14 bytes of content: nonce and tag, in TLS 1.3 the content type.
        int length = (rest[3] << 8) | rest[4];
        int expansion = suite.ExplicitNonceLength + (tls13 ? 1 : 0) + 16;
        if (length > 16_384 + expansion)
        {
            return AlertDescription.RecordOverflow;
        }

        return length < expansion ? AlertDescription.DecodeError
            : rest.Length < RecordHeader.Length + length ? null
            : AlertDescription.BadRecordMac;
    }
}
