using Aead.Records;
using Ktls.Handshake;
using Xunit;

namespace Ktls.Tests.Handshake;

public class RecordAdmissionTests
{
    [Fact]
    public void The_bytes_of_a_handshake_are_bounded()
    {
        var admission = new RecordAdmission();
        byte[] header = [22, 3, 3, 0x40, 0];
        int admitted = 0;
        while (admission.Judge(header, isPastChangeCipherSpec: false) is null)
        {
            admitted++;
        }

        Assert.Equal(RecordAdmission.BytesMax / (RecordHeader.Length + RecordHeader.PlaintextLengthMax),
            admitted);
    }

    [Theory]
    [InlineData(22, false, 16384)]
    [InlineData(22, true, 16384 + 256)]
    [InlineData(23, false, 16384 + 256)]
    public void Only_what_is_encrypted_may_be_longer(byte type, bool isPastChangeCipherSpec, int lengthMax)
    {
        Assert.Null(Judge(type, isPastChangeCipherSpec, lengthMax));
        HandshakeRefusal refusal = Judge(type, isPastChangeCipherSpec, lengthMax + 1)!;
        Assert.Equal(AlertDescription.RecordOverflow, refusal.Alert);
    }

    private static HandshakeRefusal? Judge(byte type, bool isPastChangeCipherSpec, int length) =>
        new RecordAdmission().Judge([type, 3, 3, (byte)(length >> 8), (byte)length], isPastChangeCipherSpec);
}
