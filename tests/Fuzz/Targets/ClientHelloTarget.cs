using System.Text;
using Aead;
using Ktls.Handshake;
using Ktls.Tests.Handshake;
using Xunit;

namespace Fuzz.Targets;

/// <summary>One ClientHello, by itself or made of an input's extensions, in records whose lengths fit.</summary>
internal sealed class ClientHelloTarget : IFuzzTarget
{
    public string Name => "client-hello";

    public string Oracle =>
        "A ClientHello that is answered is one by the RFCs' grammar too; version, suite, group and protocol of the answer are among those it "
        + "offers, and the server name is the one that a second reader finds; any other is refused with an alert.";

    public void Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        int choice = reader.Byte();
        byte[] body = (choice & IsMadeOfParts) != 0 ? Compose(ref reader) : reader.Rest.ToArray();
        if (body.Length > HandshakeFraming.MessageLengthMax)
        {
            return;
        }

        byte[] message = [1, 0, (byte)(body.Length >> 8), (byte)body.Length, .. body];
        using var driver = new HandshakeDriver(choice);
        foreach (byte[] fragment in message.Chunk(FragmentLengthMax))
        {
            if (driver.Status == HandshakeStatus.NeedMoreData)
            {
                driver.Feed(Wire.Record(22, fragment));
            }
        }

        Assert.NotEqual(HandshakeStatus.Established, driver.Status);
        if (driver.Status == HandshakeStatus.NeedMoreData)
        {
            CompareWithSecondReader(driver, body);
        }
    }

    public IEnumerable<(string Name, byte[] Input)> Seeds()
    {
        byte[] host = "ecdsa.example"u8.ToArray();
        var tls12 = new ClientHelloBytes { HostName = host, Groups = [0x001D, 0x0017] };
        byte[] protocols = [0, 12, 2, .. "h2"u8, 8, .. "http/1.1"u8];
        yield return ("tls12", [0, .. Body(tls12)]);
        yield return ("tls12-alpn", [1, .. Body(tls12 with { Others = [(16, protocols), (11, [1, 0]), (23, [])] })]);
        yield return ("tls12-no-groups", [0, .. Body(tls12 with { Groups = [] })]);
        yield return ("tls12-p384", [0, .. Body(tls12 with { Groups = [0x0018], Suites = [0xC030, 0xCCA8, 0x00FF] })]);
        yield return ("fallback", [0, .. Body(tls12 with { Suites = [0xC02B, 0x5600, 0x00FF] })]);
        yield return ("compression", [0, .. Body(tls12 with { Compression = [1, 0] })]);
        ClientHelloBytes tls13 = HandshakeTarget.Hello13((0x001D, HandshakeTarget.X25519Share));
        yield return ("tls13", [0, .. Body(tls13)]);
        yield return ("tls13-alpn", [64, .. Body(tls13 with { Others = [(16, protocols), (45, [1, 1]), (35, [])] })]);
        yield return ("tls13-p256", [4, .. Body(HandshakeTarget.Hello13((0x0017, HandshakeTarget.P256Share)))]);
        yield return ("tls13-retry", [4, .. Body(tls13)]);
        yield return ("tls13-two-shares", [0, .. Body(HandshakeTarget.Hello13(
            (0x001D, HandshakeTarget.X25519Share), (0x0017, HandshakeTarget.P256Share)))]);
        yield return ("tls13-short-share", [0, .. Body(HandshakeTarget.Hello13((0x001D, new byte[31])))]);
        yield return ("no-extensions", [1, 3, 3, .. new byte[32], 0, 0, 4, 0xC0, 0x2B, 0, 0xFF, 1, 0]);
        yield return ("bad-name", [0, .. Body(tls12 with { HostName = "a..b"u8.ToArray() })]);
        yield return ("parts", [IsMadeOfParts, 0, 2, 0x13, 1, 0xC0, 0x2B, 0, 43, 0, 3, 2, 3, 4, 0, 10, 0, 4, 0, 2, 0, 0x1D,
            0, 13, 0, 4, 0, 2, 4, 3, 0, 51, 0, 38, 0, 36, 0, 0x1D, 0, 32, .. HandshakeTarget.X25519Share]);
    }

    private static byte[] Body(ClientHelloBytes hello) => hello.ToMessage()[4..];

    // Lengths of the outer vectors follow from what is in them, so that a mutation of one extension leaves the others what they are.
    private static byte[] Compose(ref InputReader reader)
    {
        List<byte> extensions = [];
        byte sessionLength = (byte)(reader.Byte() % 40);
        byte[] suites = reader.Bytes(2 * reader.Byte()).ToArray();
        while (!reader.IsAtEnd)
        {
            ushort type = reader.Word();
            byte[] data = reader.Bytes(reader.Word()).ToArray();
            extensions.AddRange([(byte)(type >> 8), (byte)type, (byte)(data.Length >> 8), (byte)data.Length, .. data]);
        }

        return
        [
            3, 3, .. new byte[32], sessionLength, .. new byte[sessionLength], (byte)((suites.Length + 2) >> 8), (byte)(suites.Length + 2), .. suites,
            0, 0xFF, 1, 0, (byte)(extensions.Count >> 8), (byte)extensions.Count, .. extensions,
        ];
    }

    private static void CompareWithSecondReader(HandshakeDriver driver, byte[] body)
    {
        var client = HelloReader.ReadClient(body);
        Assert.NotNull(client);
        byte[]? hostName = client.HostName();
        Assert.Equal(hostName is null ? null : NameOf(hostName), driver.Handshake.ServerName);

        var server = HelloReader.ReadServer(FirstMessage(driver.Answer));
        Assert.NotNull(server);
        ushort version = server.ChosenVersion();
        ushort[] versions = client.OfferedVersions();
        Assert.True(versions.Contains(version) || (version == 0x0303 && client.OfferedVersions() is [> 0x0303]), "A version nobody offered.");
        Assert.Contains(server.Suites[0], client.Suites);
        Assert.Contains(CipherSuite.All, suite => suite.Id == server.Suites[0] && suite.Version == (version == 0x0304 ? TlsVersion.Tls13 : TlsVersion.Tls12));
        if (version != 0x0304)
        {
            List<byte[]> chosen = server.Protocols();
            Assert.True(chosen.Count <= 1 && chosen.TrueForAll(protocol => client.Protocols().Exists(protocol.SequenceEqual)));
            return;
        }

        ushort group = server.ChosenGroup()!.Value;
        Assert.Contains(group, client.Groups());
        Assert.Equal(server.IsRetryRequest, !client.Shares().ContainsKey(group));
    }

    private static string NameOf(byte[] hostName) => Encoding.ASCII.GetString(hostName).ToLowerInvariant().TrimEnd('.');

    private static byte[] FirstMessage(byte[] answer)
    {
        Assert.True(answer is [22, 3, _, _, _, 2, ..], "The answer is no ServerHello.");
        int length = (answer[6] << 16) | (answer[7] << 8) | answer[8];
        return answer[9..(9 + length)];
    }

    private const int IsMadeOfParts = 128;
    private const int FragmentLengthMax = 16384;
}
