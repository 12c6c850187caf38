using System.Net.Security;
using System.Net.Sockets;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>Many connections that never become useful.</summary>
internal static class StormAttacks
{
    public static Attack[] All { get; } =
    [
        new("connections that send nothing", scene => HalfOpenAsync(scene, _ => [])) { DescriptorGrowthMax = HeldMax },
        new("handshakes that stop after ClientHello", scene => HalfOpenAsync(scene, hello => hello)) { DescriptorGrowthMax = HeldMax },
        new("handshakes that stop inside ClientHello", scene => HalfOpenAsync(scene, hello => hello[..^1])) { DescriptorGrowthMax = HeldMax },
        new("resets after ClientHello", ResetStormAsync) { DescriptorGrowthMax = HeldMax },
        new("resets after the handshake", ResetEstablishedAsync) { DescriptorGrowthMax = HeldMax },
        new("handshakes that send a byte at a time", SlowHandshakesAsync) { DescriptorGrowthMax = HeldMax },
    ];

    private static async Task<string> HalfOpenAsync(AttackScene scene, Func<byte[], byte[]> part)
    {
        byte[] hello = part(await CapturedHello.TakeAsync());
        int count = TestScale.Choose(300, 3_000);
        await AttackScene.RepeatAsync(count, async _ =>
        {
            Socket socket = scene.Hold(await scene.ConnectAsync());
            await socket.SendAsync(hello);
        });
        await scene.ServeGoodClientAsync();
        return $"{count} held at once";
    }

    private static async Task<string> ResetStormAsync(AttackScene scene)
    {
        byte[] hello = await CapturedHello.TakeAsync();
        int count = TestScale.Choose(300, 10_000);
        await AttackScene.RepeatAsync(count, async _ =>
        {
            using Socket socket = await scene.ConnectAsync();
            await socket.SendAsync(hello);
            socket.LingerState = new LingerOption(true, 0);
        });
        return $"{count} connections";
    }

    private static async Task<string> ResetEstablishedAsync(AttackScene scene)
    {
        int count = TestScale.Choose(100, 2_000);
        await AttackScene.RepeatAsync(count, async _ =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await using SslStream tls = await scene.Proxy.ConnectAsync(socket);
            await tls.WriteAsync("GET /pattern?length=1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        });
        return $"{count} connections with a request under way";
    }

    private static async Task<string> SlowHandshakesAsync(AttackScene scene)
    {
        byte[] hello = await CapturedHello.TakeAsync();
        int count = TestScale.Choose(100, 500);
        int bytes = TestScale.Choose(10, 100);
        List<Socket> sockets = [];
        for (int number = 0; number < count; number++)
        {
            sockets.Add(scene.Hold(await scene.ConnectAsync()));
        }

        for (int index = 0; index < bytes; index++)
        {
            foreach (Socket socket in sockets)
            {
                await TrickleAsync(socket, hello.AsMemory(index, 1));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }

        await scene.ServeGoodClientAsync();
        return $"{count} connections, {bytes} bytes each";
    }

    private static async Task TrickleAsync(Socket socket, ReadOnlyMemory<byte> next)
    {
        try
        {
            await socket.SendAsync(next);
        }
        catch (SocketException)
        {
            // Shed, as it may be.
        }
    }

    // Each of them is one descriptor until it is shed (MaxHandshakes is 1000), and then for two more seconds, in which its alert can arrive.
    private static int HeldMax => 2_500;
}
