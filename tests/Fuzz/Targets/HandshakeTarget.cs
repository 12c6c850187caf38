using Ktls.Handshake;
using Ktls.Tests.Handshake;
using Xunit;

namespace Fuzz.Targets;

/// <summary>A whole stream of bytes from a client that has no keys.</summary>
internal sealed class HandshakeTarget : IFuzzTarget
{
    public string Name => "handshake";

    public string Oracle =>
        "The handshake waits, or refuses with an alert and a sentence and is then over; it is never established without the client's keys, never "
        + "fails inside, answers a few kilobytes at most and nothing but whole records.";

    public void Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        int choice = reader.Byte();
        using var driver = new HandshakeDriver(choice);
        ReadOnlySpan<byte> stream = reader.Rest;
        while (stream.Length >= HeaderLength && driver.Status == HandshakeStatus.NeedMoreData)
        {
            int length = HeaderLength + ((stream[3] << 8) | stream[4]);
            if (stream.Length < length && (choice & CutsLastRecord) == 0)
            {
                AssertHeader(driver, stream[..HeaderLength]);
                return;
            }

            byte[] record = stream[..Math.Min(length, stream.Length)].ToArray();
            (record[3], record[4]) = ((byte)((record.Length - HeaderLength) >> 8), (byte)(record.Length - HeaderLength));
            driver.Feed(record);
            Assert.NotEqual(HandshakeStatus.Established, driver.Status);
            stream = stream[record.Length..];
        }
    }

    public IEnumerable<(string Name, byte[] Input)> Seeds()
    {
        byte[] hello12 = new ClientHelloBytes { HostName = "ecdsa.example"u8.ToArray(), Groups = [0x001D, 0x0017] }.ToRecord();
        byte[] keyExchange = Wire.Record(22, [16, 0, 0, 33, 32, .. new byte[31], 9]);
        byte[] changeCipherSpec = Wire.Record(20, 1);
        yield return ("http", [0, .. "GET / HTTP/1.1\r\n\r\n"u8]);
        yield return ("sslv2", [0, 0x80, 0x2E, 1, 3, 1, 0, 0x15, 0, 0]);
        yield return ("warning", [0, .. Wire.Record(21, 1, 90), .. hello12]);
        yield return ("fatal", [0, .. hello12, .. Wire.Record(21, 2, 40)]);
        yield return ("close-notify", [0, .. hello12, .. Wire.Record(21, 1, 0)]);
        yield return ("early-ccs", [0, .. changeCipherSpec, .. hello12]);
        yield return ("fragments", [0, .. Wire.Record(22, hello12[5..20]), .. Wire.Record(22, hello12[20..])]);
        yield return ("two-messages", [0, .. Wire.Record(22, [.. hello12[5..], .. hello12[5..]])]);
        yield return ("flight-of-tls12", [64, .. hello12, .. keyExchange, .. changeCipherSpec, .. Wire.Record(22, new byte[40])]);
        yield return ("finished-in-plaintext", [0, .. hello12, .. keyExchange, .. Wire.Record(22, [20, 0, 0, 12, .. new byte[12]])]);
        yield return ("cut", [CutsLastRecord, .. hello12[..^20]]);
        byte[] hello13 = Hello13((0x001D, X25519Share)).ToRecord();
        yield return ("flight-of-tls13", [0, .. hello13, .. changeCipherSpec, .. Wire.Record(23, new byte[53])]);
        yield return ("hello-retry-request", [4, .. hello13, .. changeCipherSpec, .. Hello13((0x0017, P256Share)).ToRecord()]);
        yield return ("empty-record", [0, .. Wire.Record(22)]);
        yield return ("record-overflow", [0, 22, 3, 1, 0x40, 1]);
    }

    internal static ClientHelloBytes Hello13(params (ushort, byte[])[] shares) => new()
    {
        Versions = [0x0304],
        Groups = [0x001D, 0x0017, 0x0018, 0x11EC],
        Shares = shares,
        HostName = "ecdsa.example"u8.ToArray(),
    };

    internal static byte[] X25519Share { get; } = [9, .. new byte[31]];

    // The curve's base point (SEC 2, section 2.4.2).
    internal static byte[] P256Share { get; } = Convert.FromHexString(
        "046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
        + "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5");

    // Its fragment never comes, but it may be refused for its header alone.
    private static void AssertHeader(HandshakeDriver driver, ReadOnlySpan<byte> header)
    {
        if (driver.Handshake.AcceptHeader(header, out int length))
        {
            Assert.InRange(length, 1, ServerHandshake.RecordLengthMax - HeaderLength);
            return;
        }

        Assert.NotNull(driver.Handshake.Refusal);
        Assert.NotEqual(0, driver.Handshake.TakeOutput().Length);
    }

    private const int HeaderLength = 5;

    // The length of the last record is made to fit, so that a mutation of what is inside need not hit the length as well.
    private const int CutsLastRecord = 128;
}
