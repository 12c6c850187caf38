using System.Buffers.Binary;
using System.Text;

namespace TestKit.Network;

/// <summary>Frames (RFC 9113) and fields (RFC 7541), well-formed or not: what a client of a test writes.</summary>
public static class Http2Frame
{
    /// <summary>What every connection begins with, settings left as they are.</summary>
    public static byte[] Preface { get; } = PrefaceWith([]);

    /// <summary>The same, with these settings.</summary>
    public static byte[] PrefaceWith(byte[] settings) => [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Of(SettingsType, 0, 0, settings)];

    /// <summary>Any frame.</summary>
    public static byte[] Of(byte type, byte flags, int stream, byte[] payload) =>
        [.. BigEndian(payload.Length).AsSpan(1), type, flags, .. BigEndian(stream), .. payload];

    /// <summary>HEADERS with these fields, each a literal without indexing.</summary>
    public static byte[] Headers(int stream, bool ends, params (string Name, string Value)[] fields) =>
        Of(HeadersType, (byte)(EndHeaders | (ends ? EndStream : 0)), stream, Block(fields));

    /// <summary>DATA.</summary>
    public static byte[] Data(int stream, bool ends, byte[] content) => Of(DataType, ends ? EndStream : (byte)0, stream, content);

    /// <summary>A header block of literals without indexing.</summary>
    public static byte[] Block(params (string Name, string Value)[] fields) =>
        [.. fields.SelectMany(field => (byte[])[0, .. Text(field.Name), .. Text(field.Value)])];

    /// <summary>The usual pseudo-header fields, then these.</summary>
    public static (string Name, string Value)[] Request(string method, string path, params (string, string)[] more) =>
        [(":method", method), (":scheme", "https"), (":path", path), (":authority", "localhost"), .. more];

    /// <summary>Four bytes.</summary>
    public static byte[] BigEndian(int number)
    {
        byte[] bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Text(string text) => [.. Integer(text.Length), .. Encoding.Latin1.GetBytes(text)];

    // RFC 7541 section 5.1, with a prefix of seven bits.
    private static byte[] Integer(int value)
    {
        if (value < 127)
        {
            return [(byte)value];
        }

        List<byte> bytes = [127];
        for (value -= 127; value >= 128; value >>= 7)
        {
            bytes.Add((byte)(128 | (value & 127)));
        }

        return [.. bytes, (byte)value];
    }

    // RFC 9113 section 6.
    public const byte DataType = 0;
    public const byte HeadersType = 1;
    public const byte PriorityType = 2;
    public const byte ResetType = 3;
    public const byte SettingsType = 4;
    public const byte PingType = 6;
    public const byte GoAwayType = 7;
    public const byte WindowUpdateType = 8;
    public const byte ContinuationType = 9;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;
}
