using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Kernel.Tests.EndToEnd;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>Frames and fields (RFC 9113, RFC 7541) as no well-behaved client makes them.</summary>
internal static class Http2Client
{
    /// <summary>What every connection begins with; windows are as large as they can be.</summary>
    public static byte[] Preface { get; } = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Http2Frames.Frame(Settings, 0, 0, [])];

    /// <summary>The usual pseudo-header fields, then these.</summary>
    public static (string Name, string Value)[] Request(string method, string path, params (string, string)[] more) =>
        [(":method", method), (":scheme", "https"), (":path", path), (":authority", "localhost"), .. more];

    /// <summary>HEADERS with these fields, each a literal without indexing.</summary>
    public static byte[] Headers(int stream, bool ends, params (string Name, string Value)[] fields) =>
        Http2Frames.Frame(HeadersFrame, (byte)(EndHeaders | (ends ? EndStream : 0)), stream, Block(fields));

    public static byte[] Data(int stream, bool ends, string content) =>
        Http2Frames.Frame(DataFrame, ends ? EndStream : (byte)0, stream, Encoding.Latin1.GetBytes(content));

    public static byte[] Reset(int stream) => Http2Frames.Frame(ResetFrame, 0, stream, [0, 0, 0, 8]);

    public static byte[] Block(params (string Name, string Value)[] fields) =>
        [.. fields.SelectMany(field => (byte[])[0, .. Text(field.Name), .. Text(field.Value)])];

    /// <summary>Connects and sends the preface.</summary>
    public static async Task<SslStream> ConnectAsync(AttackScene scene)
    {
        SslStream tls = await scene.ConnectTlsAsync("h2");
        await tls.WriteAsync(Preface);
        return tls;
    }

    /// <summary>Sends these, waits until the server has answered or refused them, and ends the connection.</summary>
    public static async Task ExchangeAsync(SslStream tls, byte[][] frames)
    {
        using CancellationTokenSource patience = new(Timeouts.Exchange);
        Http2Frames received = new();
        byte[] buffer = new byte[16 * 1024];
        try
        {
            foreach (byte[] frame in frames)
            {
                await tls.WriteAsync(frame, patience.Token);
            }

            int count = 1;
            while (count > 0 && !received.Ended && !received.Reset && !received.GoAway)
            {
                count = await tls.ReadAsync(buffer, patience.Token);
                received.Add(buffer.AsSpan(0, count));
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The connection was refused as a whole.
        }

        await AttackScene.SendAllAsync(tls, []);
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

    public const byte DataFrame = 0;
    public const byte HeadersFrame = 1;
    public const byte PriorityFrame = 2;
    public const byte ResetFrame = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte WindowUpdate = 8;
    public const byte Continuation = 9;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;
}
