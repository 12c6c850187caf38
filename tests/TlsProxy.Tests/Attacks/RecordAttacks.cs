using System.Net;
using System.Net.Sockets;
using System.Text;
using Aead;
using Aead.Records;
using Ktls.Tests.Transport;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>After the handshake: genuine records that nobody needs.</summary>
internal static class RecordAttacks
{
    public static Attack[] All { get; } =
    [
        Each("KeyUpdates without end", TlsVersion.Tls13, records => records.UpdateKeys(requestPeer: true)),
        Each("renegotiations without end", TlsVersion.Tls12, records => records.Send(ContentType.Handshake, [1, 0, 0, 2, 3, 3])),
        Each("empty data without end, TLS 1.2", TlsVersion.Tls12, records => records.Send([])),
        Each("empty data without end, TLS 1.3", TlsVersion.Tls13, records => records.Send([])),
        Each("warning alerts without end", TlsVersion.Tls12, records => records.Send(ContentType.Alert, 1, 90)),
        Each("handshake fragments without end", TlsVersion.Tls13, records => records.Send(ContentType.Handshake, new byte[1_000])),
        Each("records of one byte", TlsVersion.Tls13, records => records.Send("a"u8.ToArray()), "POST /records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"),
        Each("forged records", TlsVersion.Tls13, records => records.SendRaw([23, 3, 3, 0, 40, .. new byte[40]])),
    ];

    private static Attack Each(string name, TlsVersion version, Action<RecordStream> send, string begin = "") => new(name, async scene =>
    {
        int records = TestScale.Choose(500, 2_000);
        if (begin.Length > 0)
        {
            scene.Sent.DeclareBegun(begin[..begin.IndexOf(" HTTP", StringComparison.Ordinal)], new string('a', records));
        }

        await AttackScene.RepeatAsync(Connections, _ => Task.Run(() =>
        {
            Socket socket = RawTlsClient.Connect(new IPEndPoint(IPAddress.Loopback, scene.Proxy.Port));
            using RecordStream stream = RawTlsClient.Handshake(socket, version, protocol: "http/1.1");
            try
            {
                stream.Send(begin.Length > 0 ? Encoding.ASCII.GetBytes(begin) : "GET /unanswered HTTP/1.1\r\nX-Begun:"u8.ToArray());
                for (int record = 0; record < records; record++)
                {
                    send(stream);
                }
            }
            catch (SocketException)
            {
                // Cut off, as it may be.
            }
        }));
        return $"{Connections} connections, up to {records} records each";
    })
    {
        DescriptorGrowthMax = Attack.Descriptors(Connections, each: 2),
    };

    private static int Connections => TestScale.Choose(4, 50);
}
