using Aead.Records;
using TestKit;
using Xunit;

namespace Aead.Tests.Records;

public sealed class RecordHeaderTests
{
    [Fact]
    public void Read_TheFiveBytes_InTheirOrder()
    {
        RecordHeader header = RecordHeader.Read([0x16, 0x03, 0x01, 0x12, 0x34, 0xFF]);
        Assert.Equal(new RecordHeader(ContentType.Handshake, 0x0301, 0x1234), header);
    }

    [Cases(20_000)]
    public void WriteUndoesRead(byte type, ushort version, ushort length)
    {
        byte[] bytes = new byte[RecordHeader.Length];
        var header = new RecordHeader((ContentType)type, version, length);
        header.Write(bytes);
        Assert.Equal(header, RecordHeader.Read(bytes));
    }

    [Fact]
    public void Read_LessThanAHeader_Throws() =>
        Assert.ThrowsAny<ArgumentException>(() => RecordHeader.Read([23, 3, 3, 0]));
}
