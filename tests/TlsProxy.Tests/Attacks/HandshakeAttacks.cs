using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>What is no handshake, or does not become one.</summary>
internal static class HandshakeAttacks
{
    public static Attack[] All { get; } =
    [
        Each("random bytes", _ => [RandomNumberGenerator.GetBytes(4_000)]),
        Each("plain HTTP", (_, number) => [Encoding.ASCII.GetBytes($"GET /smuggled?{number} HTTP/1.1\r\nHost: localhost\r\n\r\n")]),

        // draft-hickman-netscape-ssl: length with the top bit set, CLIENT-HELLO, version 2.
        Each("SSL 2.0 hello", _ => [[0x80, 0x2E, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, .. new byte[37]]]),
        Each("record of 65535 bytes", _ => [[22, 3, 1, 0xFF, 0xFF, .. new byte[0xFFFF]]]),
        Each("ClientHello in fragments of one byte", hello => [.. hello[5..].Select(one => Record(22, one))]),
        Each("ClientHello that never ends", _ => [Record(22, 1, 0, 0xFF, 0xFF), .. Enumerable.Repeat(Record(22, new byte[16_000]), 20)]),
        Each("ClientHello with every byte inverted in turn", (hello, number) => [Inverted(hello, 5 + (number % (hello.Length - 5)))]),
        Each("ClientHello, then thousands of change_cipher_spec", hello => [hello, .. Enumerable.Repeat(Record(20, 1), 5_000)]),
        Each("thousands of empty records", _ => [.. Enumerable.Repeat(Record(22), 5_000)]),
        Each("ClientHello, then thousands of empty records", hello => [hello, .. Enumerable.Repeat(Record(22), 5_000)]),
        Each("thousands of warning alerts", _ => [.. Enumerable.Repeat(Record(21, 1, 90), 5_000)]),
        Each("ClientHello, then thousands of warning alerts", hello => [hello, .. Enumerable.Repeat(Record(21, 1, 90), 5_000)]),
        Each("ClientHello, then a forged Finished", hello => [hello, Record(20, 1), Record(23, RandomNumberGenerator.GetBytes(60))]),
        Each("ClientHello, then application data", hello => [hello, .. Enumerable.Repeat(Record(23, new byte[1_000]), 200)]),
        Each("ClientHello twice", hello => [hello, hello]),
    ];

    private static Attack Each(string name, Func<byte[], byte[][]> pieces) => Each(name, (hello, _) => pieces(hello));

    private static Attack Each(string name, Func<byte[], int, byte[][]> pieces) => new(name, async scene =>
    {
        byte[] hello = await CapturedHello.TakeAsync();
        int count = TestScale.Choose(50, 500);
        await AttackScene.RepeatAsync(count, async number =>
        {
            using NetworkStream stream = new(await scene.ConnectAsync(), ownsSocket: true);
            await AttackScene.SendAllAsync(stream, pieces(hello, number));
        });
        return $"{count} connections, {pieces(hello, 0).Length} records or pieces each";
    })
    {
        // The next connection may come before the end of the last was seen.
        DescriptorGrowthMax = Attack.Descriptors(2 * AttackScene.AtOnce),
    };

    private static byte[] Inverted(byte[] hello, int index)
    {
        byte[] changed = [.. hello];
        changed[index] ^= 0xFF;
        return changed;
    }

    private static byte[] Record(byte type, params byte[] fragment) =>
        [type, 3, 3, (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];
}
