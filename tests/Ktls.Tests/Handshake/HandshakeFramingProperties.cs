using FsCheck;
using FsCheck.Fluent;
using Ktls.Handshake;
using Org.BouncyCastle.Tls;
using TestKit;
using Xunit;

namespace Ktls.Tests.Handshake;

public class HandshakeFramingProperties
{
    [Cases(2_000)]
    public bool WherePlainMessagesAreCutDoesNotMatter(byte[][] bodies, NonEmptyArray<PositiveInt> cuts)
    {
        byte[] stream = [.. bodies.SelectMany(body => Message(16, body))];
        var framing = new HandshakeFraming();
        int start = 0;
        for (int i = 0; start < stream.Length; i++)
        {
            int length = Math.Min(cuts.Get[i % cuts.Get.Length].Get, stream.Length - start);
            framing.Judge(stream.AsSpan(start, length), isEncrypted: false);
            start += length;
        }

        // At a boundary, and only there, the keys may change.
        framing.Judge(Message(20, new byte[12]), isEncrypted: true);
        return true;
    }

    [Cases(2_000)]
    public bool AMessageThatStraddlesAKeyChangeIsRefused(byte[] body, NonNegativeInt cut)
    {
        byte[] message = Message(16, body);
        int at = 1 + (cut.Get % (message.Length - 1));
        var framing = new HandshakeFraming();
        framing.Judge(message.AsSpan(0, at), isEncrypted: false);
        return Assert.Throws<HandshakeException>(() => framing.Judge(message.AsSpan(at), isEncrypted: true))
            .AlertDescription == AlertDescription.unexpected_message;
    }

    [Cases(2_000)]
    public bool NothingMayFollowAFinishedOrAClientHelloInItsRecord(bool isFinished, byte[] body,
        NonEmptyArray<byte> behind)
    {
        byte[] record = [.. Message((byte)(isFinished ? 20 : 1), body), .. behind.Get];
        var framing = new HandshakeFraming();
        return Assert.Throws<HandshakeException>(() => framing.Judge(record, isEncrypted: isFinished))
            .AlertDescription == AlertDescription.unexpected_message;
    }

    private static byte[] Message(byte type, byte[] body) =>
        [type, 0, (byte)(body.Length >> 8), (byte)body.Length, .. body];
}
