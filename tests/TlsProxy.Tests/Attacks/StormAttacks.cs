using System.Net.Security;
using System.Net.Sockets;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>Many connections that never become useful.</summary>
internal static class StormAttacks
{
    public static Attack[] All { get; } =
    [
        HalfOpen("connections that send nothing", _ => []),
        HalfOpen("handshakes that stop after ClientHello", hello => hello) with
        {
            // Whoever comes last waits until the others' shares are computed.
            NextServedMax = Timeouts.AtOnce + (HalfOpens * ShareTime),
        },
        HalfOpen("handshakes that stop inside ClientHello", hello => hello[..^1]),
        new("resets after ClientHello", ResetStormAsync) { DescriptorGrowthMax = Attack.Descriptors(Resets) },
        new("resets after the handshake", ResetEstablishedAsync) { DescriptorGrowthMax = Attack.Descriptors(EstablishedResets, each: 2) },
        Shed(new("handshakes that send a byte at a time", SlowHandshakesAsync) { DescriptorGrowthMax = Attack.Descriptors(Slow) }),
    ];

    private static Attack HalfOpen(string name, Func<byte[], byte[]> part) =>
        Shed(new Attack(name, scene => HalfOpenAsync(scene, part)) { DescriptorGrowthMax = Attack.Descriptors(HalfOpens) });

    // One that is shed is a descriptor for as long as its alert may take to arrive; what is left then is within the bound.
    private static Attack Shed(Attack attack) => attack with
    {
        Alone = settings => settings with { HandshakesMax = HandshakesMax },
        DescriptorsHeldMax = Attack.Descriptors(HandshakesMax),
    };

    private static async Task<string> HalfOpenAsync(AttackScene scene, Func<byte[], byte[]> part)
    {
        byte[] hello = part(await CapturedHello.TakeAsync());
        await AttackScene.RepeatAsync(HalfOpens, async _ =>
        {
            Socket socket = scene.Hold(await scene.ConnectAsync());
            await socket.SendAsync(hello);
        });
        await scene.ServeGoodClientAsync();
        return $"{HalfOpens} held, {HandshakesMax} allowed";
    }

    private static async Task<string> ResetStormAsync(AttackScene scene)
    {
        byte[] hello = await CapturedHello.TakeAsync();
        await AttackScene.RepeatAsync(Resets, async _ =>
        {
            using Socket socket = await scene.ConnectAsync();
            await socket.SendAsync(hello);
            socket.LingerState = new LingerOption(true, 0);
        });
        return $"{Resets} connections";
    }

    private static async Task<string> ResetEstablishedAsync(AttackScene scene)
    {
        await AttackScene.RepeatAsync(EstablishedResets, async _ =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await using SslStream tls = await scene.Proxy.ConnectAsync(socket);
            await tls.WriteAsync("GET /pattern?length=1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        });
        return $"{EstablishedResets} connections with a request under way";
    }

    private static async Task<string> SlowHandshakesAsync(AttackScene scene)
    {
        byte[] hello = await CapturedHello.TakeAsync();
        int bytes = TestScale.Choose(10, 100);
        List<Socket> sockets = [];
        for (int number = 0; number < Slow; number++)
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
        return $"{Slow} connections, {bytes} bytes each, {HandshakesMax} allowed";
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

    private static int HalfOpens => TestScale.Choose(300, 3_000);

    private static int Resets => TestScale.Choose(300, 10_000);

    private static int EstablishedResets => TestScale.Choose(100, 2_000);

    private static int Slow => TestScale.Choose(150, 1_500);

    private static TimeSpan ShareTime => Timeouts.AtOnce / 1_000;

    private static int HandshakesMax => TestScale.Choose(100, 1_000);
}
