using System.Net.Security;
using System.Text;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>Requests whose head is larger than any.</summary>
internal static class HeaderAttacks
{
    public static Attack[] All { get; } =
    [
        Each("a header of 1 MB", "GET /smuggled HTTP/1.1\r\nHost: localhost\r\nX-Large: ", new string('a', 10_000), 100),
        Each("ten thousand headers", "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n", "X-Many: a\r\n", 10_000),
        Each("a target of 1 MB", "GET /smuggled", new string('a', 10_000), 100),
        Each("a method of 1 MB", "", new string('G', 10_000), 100),
        Each("empty lines without end", "", string.Concat(Enumerable.Repeat("\r\n", 1_000)), 100),
        Each("a chunk extension of 1 MB", "POST /extended HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;", new string('e', 10_000), 100, "POST /extended"),
        Each("trailers of 1 MB", "POST /trailed HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X-Trailer: a\r\n", 70_000, "POST /trailed"),
    ];

    private static Attack Each(string name, string begin, string more, int times, string? mayBegin = null) => new(name, async scene =>
    {
        if (mayBegin is not null)
        {
            scene.Sent.DeclareBegun(mayBegin, "");
        }

        await AttackScene.RepeatAsync(Connections, async _ =>
        {
            await using SslStream tls = await scene.ConnectTlsAsync();
            byte[] piece = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(more, Math.Max(1, 10_000 / more.Length))));
            int pieces = times * more.Length / piece.Length;
            await AttackScene.SendAllAsync(tls, [Encoding.ASCII.GetBytes(begin), .. Enumerable.Repeat(piece, pieces)]);
        });
        return $"{Connections} connections";
    })
    {
        DescriptorGrowthMax = Attack.Descriptors(Connections, each: 2),
    };

    private static int Connections => TestScale.Choose(4, 100);
}
