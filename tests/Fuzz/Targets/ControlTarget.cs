using Aead;
using Aead.Records;
using Ktls.Transport;
using Xunit;

namespace Fuzz.Targets;

/// <summary>Alerts and handshake messages behind the handshake: authentic, but by a client that may be an attacker.</summary>
internal sealed class ControlTarget : IFuzzTarget
{
    public string Name => "control";

    public string Oracle =>
        "Keys change for a KeyUpdate of RFC 8446 section 4.6.3 and for nothing else, the stream ends cleanly for close_notify and for nothing "
        + "else, a refusal has its alert and its reason, and nobody gets more than 33 control records or 3 renegotiations out of a moment.";

    public void Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        TlsVersion version = (reader.Byte() & 1) == 0 ? TlsVersion.Tls13 : TlsVersion.Tls12;
        var judge = new PostHandshake(version);
        long start = Environment.TickCount64;
        int renegotiations = 0;
        for (int i = 1; !reader.IsAtEnd && i <= RecordsMax; i++)
        {
            var type = (ContentType)reader.Byte();
            ReadOnlySpan<byte> fragment = reader.Bytes(reader.Byte());
            PostHandshakeAction action = judge.Judge(type, fragment);
            renegotiations += action == PostHandshakeAction.DeclineRenegotiation ? 1 : 0;
            Assert.True(renegotiations <= 3);
            bool isFlood = i > 32 + 1 + ((Environment.TickCount64 - start) / 1000);
            if (isFlood)
            {
                Assert.Equal(PostHandshakeAction.Refuse, action);
            }

            Check(version, type, fragment, action, judge, mayBeFlood: i > 32);
            if (action is PostHandshakeAction.Refuse or PostHandshakeAction.PeerAborted or PostHandshakeAction.EndOfData)
            {
                return;
            }
        }
    }

    public IEnumerable<(string Name, byte[] Input)> Seeds()
    {
        yield return ("key-updates", [0, 22, 5, 24, 0, 0, 1, 0, 22, 5, 24, 0, 0, 1, 1, 22, 5, 24, 0, 0, 1, 2]);
        yield return ("two-in-one", [0, 22, 10, 24, 0, 0, 1, 0, 24, 0, 0, 1, 0]);
        yield return ("close-notify", [0, 21, 2, 1, 0]);
        yield return ("user-canceled", [0, 21, 2, 1, 90, 21, 2, 1, 0]);
        yield return ("aborted", [0, 21, 2, 2, 80]);
        yield return ("warning-of-tls12", [1, 21, 2, 1, 100, 21, 2, 2, 40]);
        yield return ("split-alert", [1, 21, 1, 1]);
        yield return ("renegotiations", [1, .. Enumerable.Repeat<byte[]>([22, 4, 1, 0, 0, 0], 4).SelectMany(record => record)]);
        yield return ("key-update-of-tls12", [1, 22, 5, 24, 0, 0, 1, 0]);
        yield return ("other-type", [0, 20, 1, 1]);
        yield return ("flood", [0, .. Enumerable.Repeat<byte[]>([21, 2, 1, 90], 40).SelectMany(record => record)]);
    }

    private static void Check(
        TlsVersion version, ContentType type, ReadOnlySpan<byte> fragment, PostHandshakeAction action, PostHandshake judge, bool mayBeFlood)
    {
        if (action == PostHandshakeAction.Refuse)
        {
            Assert.NotEqual(AlertDescription.CloseNotify, judge.Alert);
            Assert.NotEqual(AlertDescription.InternalError, judge.Alert);
            Assert.NotEqual("", judge.Reason);
            if (mayBeFlood)
            {
                return;
            }
        }

        bool isKeyUpdate = version == TlsVersion.Tls13 && type == ContentType.Handshake && fragment is [24, 0, 0, 1, 0 or 1];
        Assert.Equal(isKeyUpdate && fragment[4] == 0, action == PostHandshakeAction.UpdateReadKeys);
        Assert.Equal(isKeyUpdate && fragment[4] == 1, action == PostHandshakeAction.UpdateBothKeys);

        bool isAlert = type == ContentType.Alert && fragment.Length == 2;
        Assert.Equal(isAlert && fragment[1] == 0, action == PostHandshakeAction.EndOfData);
        if (action == PostHandshakeAction.PeerAborted)
        {
            Assert.True(isAlert);
            Assert.Equal(fragment[1], (byte)judge.Alert);
        }

        if (action == PostHandshakeAction.Continue)
        {
            Assert.True(isAlert && (fragment[1] == 90 || (version == TlsVersion.Tls12 && fragment[0] == 1)));
        }

        if (action == PostHandshakeAction.DeclineRenegotiation)
        {
            Assert.True(version == TlsVersion.Tls12 && type == ContentType.Handshake && fragment[0] == 1);
        }
    }

    private const int RecordsMax = 48;
}
