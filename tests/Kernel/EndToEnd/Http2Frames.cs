using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Kernel.Tests.EndToEnd;

/// <summary>As much of HTTP/2 (RFC 9113) as one GET needs.</summary>
internal sealed class Http2Frames
{
    private readonly ArrayBufferWriter<byte> _body = new();
    private byte[] _unparsed = [];

    public byte[] Body => _body.WrittenSpan.ToArray();

    /// <summary>The response is whole.</summary>
    public bool Ended { get; private set; }

    /// <summary>The server will take no more requests.</summary>
    public bool GoAway { get; private set; }

    /// <summary>The server gave the request up.</summary>
    public bool Reset { get; private set; }

    /// <summary>What a client begins with, its one request included; windows are as large as they can be.</summary>
    public static byte[] Get(string path) =>
    [
        .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8,
        .. Frame(Settings, 0, 0, [0, InitialWindowSize, .. BigEndian(int.MaxValue)]),
        .. Frame(WindowUpdate, 0, 0, BigEndian(int.MaxValue - DefaultWindow)),
        .. Frame(Headers, EndStream | EndHeaders, 1,
        [
            // RFC 7541: GET and https from the static table, path and authority as literals.
            0x82, 0x87, 0x04, (byte)path.Length, .. Encoding.ASCII.GetBytes(path), 0x01, 9, .. "localhost"u8,
        ]),
    ];

    /// <summary>Any frame.</summary>
    public static byte[] Frame(byte type, byte flags, int stream, byte[] payload) =>
        [.. BigEndian(payload.Length).AsSpan(1), type, flags, .. BigEndian(stream), .. payload];

    /// <summary>Takes what comes next.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        _unparsed = [.. _unparsed, .. bytes];
        ReadOnlySpan<byte> rest = _unparsed;
        while (rest.Length >= HeaderLength && HeaderLength + LengthOf(rest) is var whole && rest.Length >= whole)
        {
            Take(rest[3], rest[4], rest[HeaderLength..whole]);
            rest = rest[whole..];
        }

        _unparsed = rest.ToArray();
    }

    private void Take(byte type, byte flags, ReadOnlySpan<byte> payload)
    {
        if (type == Data)
        {
            _body.Write(payload);
        }

        Ended |= type is Data or Headers && (flags & EndStream) != 0;
        GoAway |= type == GoAwayFrame;
        Reset |= type == ResetFrame;
    }

    private static int LengthOf(ReadOnlySpan<byte> header) => (header[0] << 16) | (header[1] << 8) | header[2];

    private static byte[] BigEndian(int number)
    {
        byte[] bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    // RFC 9113 §6.
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte ResetFrame = 3;
    private const byte Settings = 4;
    private const byte GoAwayFrame = 7;
    private const byte WindowUpdate = 8;
    private const byte InitialWindowSize = 4;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;
    private const int HeaderLength = 9;
    private const int DefaultWindow = 65_535;
}
