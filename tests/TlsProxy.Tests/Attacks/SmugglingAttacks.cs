using System.Net.Security;
using System.Text;
using static TlsProxy.Tests.Attacks.SmugglingGroup;

namespace TlsProxy.Tests.Attacks;

/// <summary>
/// Requests that two parsers may end in two places. Whatever the proxy makes of one, it forwards at most the request in front, framed so that
/// nobody can misread it; what it does not understand it refuses.
/// </summary>
internal static class SmugglingAttacks
{
    public static Attack[] All { get; } =
    [
        // Kestrel believes the transfer coding, as it has to (RFC 9112 section 6.1), and keeps the length under another name.
        Group("smuggling: both framings (CL.TE, TE.CL)",
            new(Post($"Content-Length: {Zero.Length + Smuggled.Length}\r\nTransfer-Encoding: chunked", Zero + Smuggled), Front("", $"X-Content-Length: {Zero.Length + Smuggled.Length}\r\n")),
            new(Post($"Transfer-Encoding: chunked\r\nContent-Length: {Zero.Length + Smuggled.Length}", Zero + Smuggled), Front("", $"X-Content-Length: {Zero.Length + Smuggled.Length}\r\n")),
            new(Post("Content-Length: 4\r\nTransfer-Encoding: chunked", Chunk(Smuggled) + Zero), Front(Smuggled, "X-Content-Length: 4\r\n")),
            new(Post("Content-Length: 0\r\nTransfer-Encoding: chunked", Chunk("ab") + Zero + Smuggled), Front("ab", "X-Content-Length: 0\r\n"))),

        Group("smuggling: disguised transfer codings (TE.TE)",
            Te("Transfer-Encoding: xchunked"), Te("Transfer-Encoding : chunked"), Te(" Transfer-Encoding: chunked"),
            Te("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), Te("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
            Te("Transfer-Encoding: chunked, identity"), Te("Transfer-Encoding: chunked, chunked"), Te("Transfer-Encoding: \"chunked\""),
            Te("Transfer-Encoding: \vchunked"), Te("Transfer-Encoding: chunked\0"), Te("Transfer-Encoding\n: chunked"), Te("Transfer-Encoding:\r\n chunked"),
            Te("X: X\nTransfer-Encoding: chunked"), Te("X: X\rTransfer-Encoding: chunked"), Te("Transfer-Encoding: gzip, chunked"),
            Te("Transfer_Encoding: chunked", Front(Zero + Smuggled, "Transfer_Encoding: chunked\r\n")), Te("Transfer-Encoding: cow"), Te("Transfer-Encoding:")),
        Group("smuggling: line ends",
            new("GET /front/00 HTTP/1.1\nHost: localhost\n\n"),
            new($"GET /front/00 HTTP/1.1\rHost: localhost\r\r"),
            new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\nX: a\rGET /smuggled/00 HTTP/1.1\r\n\r\n"),
            new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\nX: a\n\nGET /smuggled/00 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n"),
            new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\n X: a\r\n\r\n"),
            new("GET /front/00 HTTP/1.1\r\n Host: localhost\r\n\r\n"),
            new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n")),

        // Kestrel takes a sign before the length; what goes on is the number alone, and what follows the body is the client's next request.
        Group("smuggling: content lengths",
            Length("5\r\nContent-Length: 6"), Length("6\r\nContent-Length: 5"), Length("5\r\nContent-Length: 5"), Length("5, 5"), Length("5, 6"), Length("+5", Front("hello"), "GET /smuggled/00"),
            Length("-5"), Length("0x5"), Length("5 5"), Length("5\v"), Length("\"5\""), Length("5;"), Length("5.0"), Length("5e0"), Length(""),
            Length("18446744073709551621"), Length("99999999999999999999999"), Length("\u0665")),
        Group("smuggling: chunk sizes",
            Chunks("0x2\r\nab\r\n"), Chunks("+2\r\nab\r\n"), Chunks("-1\r\nab\r\n"), Chunks(" 2\r\nab\r\n"), Chunks("2_\r\nab\r\n"), Chunks("\r\n2\r\nab\r\n"),
            Chunks("10000000000000002\r\nab\r\n"), Chunks("FFFFFFFFFFFFFFFF2\r\nab\r\n"), Chunks("2\nab\r\n"), Chunks("2\rab\r\n"), Chunks("2\r\nabc\r\n"),
            Chunks("2\r\nab\n"), Chunks("2\r\nabXX"), Chunks("g\r\nab\r\n"), Chunks("2;a\nb\r\nab\r\n"), Chunks("2;a\rb\r\nab\r\n"),
            Chunks("2;a=b\r\nab\r\n", Front("ab"), $"GET /smuggled/00"), Chunks("2;\"\r\n\"\r\nab\r\n")),
        Group("smuggling: trailers",
            new(Post("Transfer-Encoding: chunked", "0\r\nContent-Length: 50\r\n\r\n"), Front("")),
            new(Post("Transfer-Encoding: chunked", "0\r\nHost: evil\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n"), Front("")),
            new(Post("Transfer-Encoding: chunked", "0\r\nX: a\nb\r\n\r\n" + Smuggled)),
            new(Post("Transfer-Encoding: chunked", "0\r\n: a\r\n\r\n" + Smuggled)),
            new(Post("Transfer-Encoding: chunked", "0\n\n" + Smuggled))),
        Group("smuggling: request lines",
            new("GET  /front/00 HTTP/1.1\r\nHost: localhost\r\n\r\n"), new("GET\t/front/00\tHTTP/1.1\r\nHost: localhost\r\n\r\n"),
            new("GET /front/00 /smuggled/00 HTTP/1.1\r\nHost: localhost\r\n\r\n"), new("GET /front/00 HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            new("GET /smuggled/00\r\n\r\n"), new("GET /front/00 HTTP/2.0\r\nHost: localhost\r\n\r\n"), new("GET /front/00 HTTP/1.2\r\nHost: localhost\r\n\r\n"),
            new("G(T /front/00 HTTP/1.1\r\nHost: localhost\r\n\r\n"), new("GET front/00 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            new("GET /front/00\v HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /front/00%0B"), new("GET /front/00\0 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            new("GET /front/00%0d%0aX-Forged:%20a HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /front/00%0D%0AX-Forged:%20a"),
            new("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n" + Smuggled),
            new("\r\n\r\nGET /front/00 HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /front/00")),
        Group("smuggling: fields",
            new("GET /front/00 HTTP/1.1\r\n\r\n"), new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n"),
            new("GET /front/00 HTTP/1.1\r\nHost : localhost\r\n\r\n"), new("GET /front/00 HTTP/1.1\r\nHost: localhost/evil\r\n\r\n"),
            new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\n: a\r\n\r\n"), new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n"),
            new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\nX Y: a\r\n\r\n"), new("GET /front/00 HTTP/1.1\r\nHost: localhost\r\nX\0: a\r\n\r\n"),
            new("GET http://evil/front/00 HTTP/1.1\r\nHost: localhost\r\n\r\n"), new("GET /front/00 HTTP/1.1\r\nHost: local\r\n host\r\n\r\n")),

        // What a client says about traces is its own business and passes as it came: backends must not trust it, and none of it is framing.
        Group("smuggling: what a proxy says",
            Claim("X-Forwarded-For: 203.0.113.7"), Claim("X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 203.0.113.8"), Claim("X-Forwarded-Proto: http"),
            Claim("X-Forwarded-Host: evil"), Claim("X-Forwarded-Prefix: /evil"), Claim("X-Forwarded-Port: 80"), Claim("Forwarded: for=203.0.113.7"),
            Claim("X-Real-IP: 203.0.113.7"), Claim("Client-Cert: :AA==:"), Claim("Connection: X-Forwarded-For, Host\r\nX-Forwarded-For: 203.0.113.7"),
            Claim("traceparent: evil", "traceparent: evil\r\n"), Claim("tracestate: evil=1", "tracestate: evil=1\r\n"), Claim("baggage: evil=1", "baggage: evil=1\r\n")),
        Group("smuggling: bodies that look like requests",
            new($"GET /front/00 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {Smuggled.Length}\r\n\r\n{Smuggled}", new Arrival("GET /front/00", Smuggled)),
            new(Post($"Content-Length: {Smuggled.Length}", Smuggled), Front(Smuggled)),
            new(Post("Transfer-Encoding: chunked", Chunk(Smuggled) + Zero), Front(Smuggled)),
            new(Post($"Expect: 100-continue\r\nContent-Length: {Smuggled.Length}", Smuggled), Front(Smuggled, "Expect: 100-continue\r\n")),
            new($"POST /front/00 HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{Zero}{Smuggled}", Front("")),
            new($"POST /front/00 HTTP/1.0\r\nHost: localhost\r\n\r\n{Smuggled}", Front(""))),
        Group("smuggling: upgrades",
            new($"GET /front/00 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n", "GET /front/00"),
            new($"GET /front/00 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: evil\r\n\r\n{Smuggled}", "GET /front/00", "GET /smuggled/00"),
            new($"GET /front/00 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n\r\n{Smuggled}", new Arrival("GET /front/00", "", "Sec-WebSocket-Version: 777\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), "GET /smuggled/00")),
    ];

    private static Attack Group(string name, params Payload[] payloads) => SmugglingGroup.Create(name, payloads);

    private static string Post(string framing, string body) => $"POST /front/00 HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n{body}";

    private static Payload Te(string field, params Arrival[] mayArrive) =>
        new(Post($"Content-Length: {Zero.Length + Smuggled.Length}\r\n{field}", Zero + Smuggled), mayArrive);

    private static Payload Length(string value, params Arrival[] mayArrive) => new(Post($"Content-Length: {value}", "hello" + Smuggled), mayArrive);

    private static Payload Chunks(string chunks, params Arrival[] mayArrive) => new(Post("Transfer-Encoding: chunked", chunks + Zero + Smuggled), mayArrive);

    private static Payload Claim(string fields, string left = "") =>
        new($"GET /front/00 HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n", new Arrival("GET /front/00", Fields: left));

    private static string Chunk(string content) => $"{content.Length:x}\r\n{content}\r\n";

    private static Arrival Front(string body, string fields = "") => new("POST /front/00", body, fields);

    private sealed record Payload(string Text, params Arrival[] MayArrive) : SmugglingPayload(MayArrive)
    {
        public override string Content => Text;

        public override async Task SendAsync(AttackScene scene, Func<string, string> numbered)
        {
            await using SslStream tls = await scene.ConnectTlsAsync();
            await AttackScene.SendAllAsync(tls, [Encoding.Latin1.GetBytes(numbered(Text))]);
        }
    }
}
