using System.Net.Security;
using System.Text;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>Clients that read or write as slowly as they can.</summary>
internal static class SlowAttacks
{
    public static Attack[] All { get; } =
    [
        new("answers nobody reads", UnreadAnswersAsync)
        {
            // What the kernel's own buffers hold beside it is not the process's.
            ResidentGrowthMax = 128L << 20,
            DescriptorGrowthMax = 2 * TestScale.Choose(30, 100) + Few,
        },
        new("headers, a byte at a time", scene => TrickleAsync(scene, "GET /smuggled HTTP/1.1\r\nHost: localhost\r\nX-Slow: "))
        {
            DescriptorGrowthMax = TestScale.Choose(100, 500) + Few,
        },
        new("bodies, a byte at a time", scene => TrickleAsync(scene, "POST /deaf HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"))
        {
            DescriptorGrowthMax = 2 * TestScale.Choose(100, 500) + Few,
        },
        new("chunks of one byte", ChunksAsync),
        new("requests of which no answer is awaited", PipelineAsync),
    ];

    private static async Task<string> UnreadAnswersAsync(AttackScene scene)
    {
        int count = TestScale.Choose(30, 100);
        await AttackScene.RepeatAsync(count, async _ =>
        {
            SslStream tls = scene.Hold(await scene.ConnectTlsAsync());
            await tls.WriteAsync("GET /pattern?length=8000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        });
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        await scene.ServeGoodClientAsync();
        return $"{count} downloads of 8 MB, held";
    }

    private static async Task<string> TrickleAsync(AttackScene scene, string begin)
    {
        int count = TestScale.Choose(100, 500);
        int bytes = TestScale.Choose(5, 50);
        List<SslStream> connections = [];
        await AttackScene.RepeatAsync(count, async _ =>
        {
            SslStream tls = scene.Hold(await scene.ConnectTlsAsync());
            await tls.WriteAsync(Encoding.ASCII.GetBytes(begin));
            lock (connections)
            {
                connections.Add(tls);
            }
        });
        for (int index = 0; index < bytes; index++)
        {
            foreach (SslStream tls in connections)
            {
                await tls.WriteAsync("a"u8.ToArray());
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }

        await scene.ServeGoodClientAsync();
        return $"{count} connections, {bytes} bytes each, held";
    }

    private static async Task<string> ChunksAsync(AttackScene scene)
    {
        int count = TestScale.Choose(5_000, 100_000);
        string body = new('a', count);
        scene.Declare("POST /chunks", body);
        await using SslStream tls = await scene.ConnectTlsAsync();
        byte[] chunks = [.. Enumerable.Repeat("1\r\na\r\n"u8.ToArray(), 100).SelectMany(chunk => chunk)];
        await AttackScene.SendAllAsync(
            tls,
            [
                "POST /chunks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray(),
                .. Enumerable.Repeat(chunks, count / 100), "0\r\n\r\n"u8.ToArray(),
            ]);
        return $"{count} chunks";
    }

    private static async Task<string> PipelineAsync(AttackScene scene)
    {
        int count = TestScale.Choose(500, 5_000);
        byte[] request = "GET /pipelined HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray();
        for (int number = 0; number < count; number++)
        {
            scene.Declare("GET /pipelined");
        }

        SslStream tls = scene.Hold(await scene.ConnectTlsAsync());
        await tls.WriteAsync(Enumerable.Repeat(request, count).SelectMany(bytes => bytes).ToArray());
        await scene.ServeGoodClientAsync();
        return $"{count} requests in one write";
    }

    private const int Few = 64;
}
