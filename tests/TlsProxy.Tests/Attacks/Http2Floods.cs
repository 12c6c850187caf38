using System.Net.Security;
using TestKit;
using TestKit.Network;

namespace TlsProxy.Tests.Attacks;

/// <summary>Frames that cost the sender nothing.</summary>
internal static class Http2Floods
{
    public static Attack[] All { get; } =
    [
        Each("HTTP/2: streams that are reset at once", number =>
            [.. Http2Frame.Headers(StreamOf(number), true, Http2Frame.Request("GET", "/deaf")), .. Http2Frame.Of(Http2Frame.ResetType, 0, StreamOf(number), Http2Frame.BigEndian(Cancel))], streams: StreamsMax),
        Each("HTTP/2: streams that are never ended", number => Http2Frame.Headers(StreamOf(number), false, Http2Frame.Request("POST", "/deaf")), 500, StreamsMax),
        Each("HTTP/2: header blocks without end", number => number == 0
            ? Http2Frame.Of(Http2Frame.HeadersType, 0, 1, Http2Frame.Block(Http2Frame.Request("GET", "/smuggled")))
            : Http2Frame.Of(Http2Frame.ContinuationType, 0, 1, Http2Frame.Block(("x-many", new string('a', 1_000))))),
        Each("HTTP/2: empty CONTINUATION frames", number => number == 0
            ? Http2Frame.Of(Http2Frame.HeadersType, 0, 1, Http2Frame.Block(Http2Frame.Request("GET", "/smuggled")))
            : Http2Frame.Of(Http2Frame.ContinuationType, 0, 1, [])),
        Each("HTTP/2: a header that is expanded a thousandfold", number => number == 0

            // RFC 7541 section 6.2.1: into the table once, then by its index.
            ? Http2Frame.Of(Http2Frame.HeadersType, 0, 1, [0x40, 1, (byte)'x', 127, 0xA1, 0x1E, .. new byte[4000].Select(_ => (byte)'a')])
            : Http2Frame.Of(Http2Frame.ContinuationType, 0, 1, [.. Enumerable.Repeat((byte)(0x80 | 62), 4_000)])),
        Each("HTTP/2: PING without end", _ => Http2Frame.Of(Http2Frame.PingType, 0, 0, new byte[8])),
        Each("HTTP/2: SETTINGS without end", _ => Http2Frame.Of(Http2Frame.SettingsType, 0, 0, [0, 4, 0, 0, 0xFF, 0xFF])),
        Each("HTTP/2: empty DATA without end", number => number == 0
            ? Http2Frame.Headers(1, false, Http2Frame.Request("POST", "/deaf"))
            : Http2Frame.Data(1, false, [])),
        Each("HTTP/2: PRIORITY without end", number => Http2Frame.Of(Http2Frame.PriorityType, 0, StreamOf(number), [0, 0, 0, 0, 1])),
        Each("HTTP/2: windows of one byte", number => number == 0
            ? Http2Frame.Of(Http2Frame.SettingsType, 0, 0, [0, 4, 0, 0, 0, 0])
            : [.. number <= 50 ? Http2Frame.Headers(StreamOf(number), true, Http2Frame.Request("GET", "/pattern?length=1000000")) : [],
                .. Http2Frame.Of(Http2Frame.WindowUpdateType, 0, StreamOf(1 + (number % 50)), [0, 0, 0, 1])], streams: 50),
        Each("HTTP/2: frames of random bytes", number => Http2Frame.Of((byte)(number % 12), (byte)number, number % 7, [.. Enumerable.Range(0, number % 60).Select(i => (byte)(i * number))])),
    ];

    private static Attack Each(string name, Func<int, byte[]> frame, int? framesMax = null, int streams = 1) => new(name, async scene =>
    {
        int frames = Math.Min(TestScale.Choose(1_000, 10_000), framesMax ?? int.MaxValue);
        await AttackScene.RepeatAsync(Connections, async _ =>
        {
            await using SslStream tls = await Http2Client.ConnectAsync(scene);
            await AttackScene.SendAllAsync(tls, Enumerable.Range(0, frames).Chunk(50).Select(numbers => numbers.SelectMany(frame).ToArray()));
        });
        return $"{Connections} connections, up to {frames} frames each";
    })
    {
        DescriptorGrowthMax = Attack.Descriptors(Connections, each: 1 + streams),
        ResidentGrowthMax = (64L << 20) + (Connections * streams * StreamBytes),
    };

    private static int Connections => TestScale.Choose(4, 40);

    // What a request under way takes on its way through Kestrel and YARP.
    private const long StreamBytes = 16 << 10;

    // Kestrel takes no more at once.
    private const int StreamsMax = 100;

    // RFC 9113 section 7.
    private const int Cancel = 8;

    private static int StreamOf(int number) => (2 * number) + 1;
}
