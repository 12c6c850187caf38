using Aead.Records;
using Ktls.Handshake;
using Xunit;

namespace Ktls.Tests.Handshake;

// What is harmless once is cut off when it does not end.
public class FloodTests
{
    [Fact]
    public void A_message_of_the_largest_size_is_still_read()
    {
        using var handshake = new ServerHandshake(Policies.Default);
        Assert.Equal(HandshakeStatus.NeedMoreData, Wire.Feed(handshake, Wire.Record(22, 1, 0, 0x80, 0)));
    }

    [Fact]
    public void A_flood_of_one_byte_fragments_is_cut_off()
    {
        byte[] message = RefusalTests.Tls13.ToMessage();
        AssertFlooded(i => Wire.Record(22, message[i]), 65, "64 records");
    }

    [Fact]
    public void A_flood_of_change_cipher_spec_is_cut_off()
    {
        byte[] hello = Wire.Split(RefusalTests.RealHello()).First();
        AssertFlooded(
            i => i == 0 ? hello : Wire.Record(20, 1), 6, "4 change_cipher_specs", isEncrypted: true);
    }

    [Fact]
    public void A_flood_of_warnings_is_cut_off() =>
        AssertFlooded(_ => Wire.Record(21, 1, 90), 5, "4 alerts");

    private static void AssertFlooded(Func<int, byte[]> record, int refusedAt, string reason,
        bool isEncrypted = false)
    {
        using var handshake = new ServerHandshake(Policies.Default);
        for (int i = 0; i < refusedAt - 1; i++)
        {
            Assert.Equal(HandshakeStatus.NeedMoreData, Wire.Feed(handshake, record(i)));
        }

        handshake.TakeOutput();
        Assert.Equal(HandshakeStatus.Refused, Wire.Feed(handshake, record(refusedAt - 1)));
        Assert.Equal(AlertDescription.UnexpectedMessage, handshake.Refusal!.Alert);
        Assert.Contains(reason, handshake.Refusal.Reason, StringComparison.Ordinal);
        Assert.Equal(isEncrypted ? 23 : 21, handshake.TakeOutput().Span[0]);
    }
}
