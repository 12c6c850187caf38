using System.Net.Security;
using System.Text;
using TestKit.Network;
using static TlsProxy.Tests.Attacks.SmugglingGroup;

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

    private static Attack Group(string name, params Payload[] payloads) => SmugglingGroup.Create(name, payloads);

    private static Payload Get((string, string) field, params string[] mayArrive) =>
        new(Http2Frame.Request("GET", "/front/00", field), null, [.. mayArrive.Select(line => new Arrival(line))]);

    private static Payload Raw(params (string, string)[] fields) => new(fields, null, []);

    private static Payload Path(string path, string mayArrive) =>
        new([(":method", "GET"), (":scheme", "https"), (":path", path), (":authority", "localhost")], null, [mayArrive]);

    private static Payload PostZero((string, string) field, params string[] mayArrive) => Body(Zero + Smuggled, mayArrive, field);

    private static Payload Body(string body, string[] mayArrive, params (string, string)[] fields) =>
        new(Http2Frame.Request("POST", "/front/00", fields), body, [.. mayArrive.Select(arriving => new Arrival("POST /front/00", arriving))]);

    private const string Injected = "\r\nHost: localhost\r\n\r\n" + Smuggled;

    private sealed record Payload((string Name, string Value)[] Fields, string? Body, Arrival[] MayArrive) : SmugglingPayload(MayArrive)
    {
        public override string Content => Body ?? "";

        public override async Task SendAsync(AttackScene scene, Func<string, string> numbered)
        {
            (string, string)[] fields = [.. Fields.Select(field => (field.Name, numbered(field.Value)))];
            byte[][] frames = Body is null
                ? [Http2Frame.Headers(1, true, fields)]
                : [Http2Frame.Headers(1, false, fields), Http2Frame.Data(1, true, Encoding.Latin1.GetBytes(numbered(Body)))];
            await using SslStream tls = await Http2Client.ConnectAsync(scene);
            await Http2Client.ExchangeAsync(tls, frames);
        }
    }
}
