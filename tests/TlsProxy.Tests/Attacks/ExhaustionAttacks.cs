using System.Net.Security;
using System.Net.Sockets;
using TestKit;
using Xunit;

namespace TlsProxy.Tests.Attacks;

/// <summary>More than the proxy has.</summary>
internal static class ExhaustionAttacks
{
    public static Attack[] All { get; } =
    [
        new("no descriptors left", DescriptorsAsync)
        {
            Alone = settings => settings with { DescriptorsMax = DescriptorsMax },

            // No bound: the kernel gives no more.
            DescriptorGrowthMax = long.MaxValue,

            // The listener looks away for a quarter of a second whenever there is none left.
            NextServedMax = 3 * Timeouts.AtOnce,
        },
        new("no pages left", StalledUploadsAsync)
        {
            Alone = settings => settings with { PagesMaxMegabytes = 4, OriginPatience = OriginPatience },
            ResidentGrowthMax = 256L << 20,
            DescriptorGrowthMax = Attack.Descriptors(Uploads, each: 2),
        },
        new("no memory left", StalledUploadsAsync)
        {
            Alone = settings => settings with { PagesMaxMegabytes = 8, HeapBytesMax = 200L << 20, OriginPatience = OriginPatience },
            ResidentGrowthMax = 256L << 20,
            DescriptorGrowthMax = Attack.Descriptors(Uploads, each: 2),
        },
    ];

    private static async Task<string> DescriptorsAsync(AttackScene scene)
    {
        int rounds = TestScale.Choose(1, 10);
        for (int round = 0; round < rounds; round++)
        {
            List<Socket> sockets = [];
            for (int number = 0; number < 2 * DescriptorsMax; number++)
            {
                sockets.Add(await scene.ConnectAsync());
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500));
            sockets.ForEach(socket => socket.Dispose());
            await scene.ServeGoodClientAsync();
        }

        Assert.Contains("EMFILE", scene.Proxy.Output, StringComparison.Ordinal);
        return $"{2 * DescriptorsMax} connections where {DescriptorsMax} descriptors are allowed, {rounds} times";
    }

    private static async Task<string> StalledUploadsAsync(AttackScene scene)
    {
        byte[] body = new byte[1 << 20];
        await AttackScene.RepeatAsync(Uploads, async _ =>
        {
            SslStream tls = scene.Hold(await scene.ConnectTlsAsync());
            await tls.WriteAsync("POST /deaf HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n"u8.ToArray());
            using CancellationTokenSource full = new(TimeSpan.FromMilliseconds(500));
            try
            {
                for (int megabyte = 0; megabyte < 20; megabyte++)
                {
                    await tls.WriteAsync(body, full.Token);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                // Everything on the way is full, or the proxy gave this one up.
            }
        });
        await scene.ServeGoodClientAsync();
        return $"{Uploads} uploads that stall, up to 20 MiB each, held";
    }

    // Of an upload whose client is gone and whose origin reads nothing, only time can tell.
    private static TimeSpan OriginPatience => TimeSpan.FromSeconds(TestScale.Choose(3, 15));

    private static int Uploads => TestScale.Choose(30, 150);

    private const int DescriptorsMax = 500;
}
