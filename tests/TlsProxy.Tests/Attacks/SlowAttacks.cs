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
            DescriptorGrowthMax = Attack.Descriptors(Downloads, each: 2),

            // The origin that fills all buffers runs on the same processors.
            NextServedMax = Timeouts.AtOnce + (Downloads * FillTime),
        },
        new("headers, a byte at a time", scene => TrickleAsync(scene, "GET /smuggled HTTP/1.1\r\nHost: localhost\r\nX-Slow: "))
        {
            DescriptorGrowthMax = Attack.Descriptors(Trickles),
        },
        new("bodies, a byte at a time", scene => TrickleAsync(scene, "POST /deaf HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"))
        {
            DescriptorGrowthMax = Attack.Descriptors(Trickles, each: 2),
        },
        new("chunks of one byte", ChunksAsync) { DescriptorGrowthMax = Attack.Descriptors(1, each: 2) },
        new("requests of which no answer is awaited", PipelineAsync) { DescriptorGrowthMax = Attack.Descriptors(1, each: 2) },
    ];

    private static async Task<string> UnreadAnswersAsync(AttackScene scene)
    {
        await AttackScene.RepeatAsync(Downloads, async _ =>
        {
            SslStream tls = scene.Hold(await scene.ConnectTlsAsync());
            await tls.WriteAsync("GET /pattern?length=8000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        });
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        await scene.ServeGoodClientAsync();
        return $"{Downloads} downloads of 8 MB, held";
    }

    private static async Task<string> TrickleAsync(AttackScene scene, string begin)
    {
        int bytes = TestScale.Choose(5, 50);
        List<SslStream> connections = [];
        await AttackScene.RepeatAsync(Trickles, async _ =>
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
        return $"{Trickles} connections, {bytes} bytes each, held";
    }

    private static async Task<string> ChunksAsync(AttackScene scene)
    {
        int count = TestScale.Choose(5_000, 100_000);
        string body = new('a', count);
        scene.Sent.Declare("POST /chunks", body);
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
            scene.Sent.Declare("GET /pipelined");
        }

        SslStream tls = scene.Hold(await scene.ConnectTlsAsync());
        await tls.WriteAsync(Enumerable.Repeat(request, count).SelectMany(bytes => bytes).ToArray());
        await scene.ServeGoodClientAsync();
        return $"{count} requests in one write";
    }

    private static int Downloads => TestScale.Choose(30, 100);

    private static TimeSpan FillTime => Timeouts.AtOnce / 30;

    private static int Trickles => TestScale.Choose(100, 500);
}
