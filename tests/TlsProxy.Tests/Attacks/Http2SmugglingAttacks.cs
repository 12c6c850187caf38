using System.Globalization;
using System.Net.Security;
using System.Text;
using TestKit;
using TestKit.Network;

namespace TlsProxy.Tests.Attacks;

/// <summary>Requests that are harmless in HTTP/2 and something else once they are written as HTTP/1.1, as this proxy does.</summary>
internal static class Http2SmugglingAttacks
{
    public static Attack[] All { get; } =
    [
        Group("downgrade: fields of a connection",
            Get(("transfer-encoding", "chunked")), Get(("connection", "close")), Get(("keep-alive", "1")), Get(("proxy-connection", "close")),
            Get(("upgrade", "h2c")), Get(("te", "gzip")), PostZero(("transfer-encoding", "chunked")), PostZero(("Transfer-Encoding", "chunked"))),

        // A name that holds lines arrives nowhere, the request without it may.
        Group("downgrade: lines in names and values",
            Get(("x", "a\r\nX-Forged: b")), Get(("x", Injected)), Get(("x", "a\nb")), Get(("x", "a\rb")), Get(("x", "a\0b")), Get(("x: a\r\ny", "b"), "GET /front/00"), Get(("x y", "a"), "GET /front/00"),
            Get(("x:", "a"), "GET /front/00"), Get(("", "a"), "GET /front/00"), Get(("X-Upper", "a")), Get(("cookie", Injected)), Get(("host", Injected)), Get(("content-length", "0" + Injected))),
        Group("downgrade: pseudo-header fields",
            Raw((":method", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET"), (":scheme", "https"), (":path", "/smuggled/00"), (":authority", "localhost")),
            Raw((":method", "GET"), (":scheme", "https"), (":path", "/front/00 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /smuggled/00"), (":authority", "localhost")),
            Path("/front/00 HTTP/1.1", "GET /front/00%20HTTP/1.1"),
            Raw((":method", "GET"), (":scheme", "https"), (":path", "/front/00"), (":authority", "localhost" + Injected)),
            Raw((":method", "GET"), (":scheme", "https"), (":path", "/front/00"), (":authority", "evil/../localhost")),
            Raw((":method", "GET"), (":scheme", "http" + Injected), (":path", "/front/00"), (":authority", "localhost")),
            Raw((":method", "GET"), (":scheme", "https"), (":path", "/front/00"), (":path", "/smuggled/00"), (":authority", "localhost")),
            Raw((":method", "GET"), (":method", "POST"), (":scheme", "https"), (":path", "/front/00"), (":authority", "localhost")),
            Raw((":scheme", "https"), (":path", "/front/00"), (":authority", "localhost")),
            Raw((":method", "GET"), (":scheme", "https"), (":authority", "localhost")),
            Raw((":method", "GET"), (":scheme", "https"), (":path", ""), (":authority", "localhost")),
            Raw((":method", "GET"), (":scheme", "https"), (":path", "front/00"), (":authority", "localhost")),
            Raw((":method", "GET"), (":scheme", "https"), (":path", "/front/00"), (":authority", "localhost"), (":forged", "a")),
            Raw((":method", "GET"), (":scheme", "https"), (":path", "/front/00"), ("x", "a"), (":authority", "localhost")),
            Raw((":method", "GET"), (":scheme", "https"), (":path", "/front/00"), (":authority", "localhost"), (":status", "200")),
            Raw((":method", "CONNECT"), (":authority", "localhost:80")),
            Raw((":method", "CONNECT"), (":protocol", "evil"), (":scheme", "https"), (":path", "/front/00"), (":authority", "localhost"))),
        Group("downgrade: what a proxy says",
            Get(("x-forwarded-for", "203.0.113.7"), "GET /front/00"), Get(("x-forwarded-proto", "http"), "GET /front/00"), Get(("x-forwarded-host", "evil"), "GET /front/00"),
            Get(("forwarded", "for=203.0.113.7"), "GET /front/00"), Get(("x-real-ip", "203.0.113.7"), "GET /front/00")),
        Group("downgrade: lengths that do not fit",
            Body("hello", [], ("content-length", "4")), Body("hello", [], ("content-length", "6")), Body("hello", [""], ("content-length", "0")),
            Body("hello", [], ("content-length", "5, 5")), Body("hello", ["hello"], ("content-length", "+5")), Body("hello", [], ("content-length", "5"), ("content-length", "6")),
            Body(Smuggled, [], ("content-length", "1")), Body("hello", ["hello"], ("content-length", "5")), Body(Smuggled, [Smuggled])),
    ];

    private static Attack Group(string name, params Payload[] payloads) => new(name, async scene =>
    {
        for (int round = 0; round < Rounds; round++)
        {
            for (int index = 0; index < payloads.Length; index++)
            {
                string number = "/" + index.ToString("00", CultureInfo.InvariantCulture);
                foreach ((string line, string body) in payloads[index].MayArrive)
                {
                    scene.Sent.Declare(line.Replace("/00", number), body.Replace("/00", number));
                }

                scene.Sent.DeclareBegun("POST /front" + number, payloads[index].Body?.Replace("/00", number) ?? "");
                (string, string)[] fields = [.. payloads[index].Fields.Select(field => (field.Name, field.Value.Replace("/00", number)))];
                byte[][] frames = payloads[index].Body is { } content
                    ? [Http2Frame.Headers(1, false, fields), Http2Frame.Data(1, true, Encoding.Latin1.GetBytes(content.Replace("/00", number)))]
                    : [Http2Frame.Headers(1, true, fields)];
                await using SslStream tls = await Http2Client.ConnectAsync(scene);
                await Http2Client.ExchangeAsync(tls, frames);
            }
        }

        return $"{payloads.Length} payloads, {Rounds} times";
    })
    {
        // One after another; the next may come before the end of the last was seen.
        DescriptorGrowthMax = Attack.Descriptors(Math.Max(2, payloads.Length * Rounds / 8), each: 2),
    };

    private static int Rounds => TestScale.Choose(1, 20);

    private static Payload Get((string, string) field, params string[] mayArrive) =>
        new(Http2Frame.Request("GET", "/front/00", field), null, [.. mayArrive.Select(line => (line, ""))]);

    private static Payload Raw(params (string, string)[] fields) => new(fields, null, []);

    private static Payload Path(string path, string mayArrive) =>
        new([(":method", "GET"), (":scheme", "https"), (":path", path), (":authority", "localhost")], null, [(mayArrive, "")]);

    private static Payload PostZero((string, string) field, params string[] mayArrive) => Body(Zero + Smuggled, mayArrive, field);

    private static Payload Body(string body, string[] mayArrive, params (string, string)[] fields) =>
        new(Http2Frame.Request("POST", "/front/00", fields), body, [.. mayArrive.Select(arriving => ("POST /front/00", arriving))]);

    private const string Zero = "0\r\n\r\n";
    private const string Smuggled = "GET /smuggled/00 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private const string Injected = "\r\nHost: localhost\r\n\r\n" + Smuggled;

    private sealed record Payload((string Name, string Value)[] Fields, string? Body, (string Line, string Body)[] MayArrive);
}
