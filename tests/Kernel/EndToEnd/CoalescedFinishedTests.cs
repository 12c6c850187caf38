using System.Net;
using System.Net.Sockets;
using System.Text;
using Aead;
using Aead.Records;
using Ktls.Tests.Transport;
using TestKit;
using TestKit.Origins;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>
/// A client's Finished and its first data reach the proxy in one piece, and in every two pieces: what the kernel is given begins exactly where
/// the handshake ended. A byte too early or too late and a record is lost, or decrypted twice.
/// </summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class CoalescedFinishedTests(KernelProxies proxies) : KernelProxyTest(proxies)
{
    public static TheoryData<LayerChoice, TlsVersion> Rows()
    {
        TheoryData<LayerChoice, TlsVersion> rows = [];
        foreach (LayerChoice layers in Enum.GetValues<LayerChoice>())
        {
            foreach (TlsVersion version in Enum.GetValues<TlsVersion>())
            {
                rows.Add(layers, version);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task NothingIsLostWhereverTheStreamIsCut(LayerChoice layers, TlsVersion version)
    {
        TlsStatistics before = await Proxies.BeginCountingAsync();
        int length = 0;
        await AssertServedAsync(layers, version, 0, (socket, bytes) =>
        {
            length = bytes.Length;
            socket.Send(bytes);
        });
        int connections = 1;
        for (int cut = 1; cut < length; cut += StepBetweenCuts(layers), connections++)
        {
            await AssertServedAsync(layers, version, cut, (socket, bytes) => SendCut(socket, bytes, cut));
        }

        TlsStatistics.Read().Since(before).AssertInUse(layers, connections);
    }

    /// <summary>Kestrel takes a FIN for a client that is gone, whatever it said before; so it may answer or not, but never half, and never late.</summary>
    [Theory]
    [MemberData(nameof(Rows))]
    public async Task AClientThatEndsInTheSamePieceIsServedOrCutOff(LayerChoice layers, TlsVersion version)
    {
        foreach (bool inGoodOrder in (bool[])[true, false])
        {
            for (int run = 0; run < Runs; run++)
            {
                string response = await ExchangeAsync(layers, version, NextId(run), SendAndFinish, inGoodOrder, mayBeReset: true);
                Assert.True(response.Length == 0 || response.Contains(Answer, StringComparison.Ordinal), response);
            }
        }

        using HttpClient next = Proxy(layers).CreateClient();
        Assert.Equal("hello", await next.GetStringAsync("/hello"));
    }

    private async Task AssertServedAsync(LayerChoice layers, TlsVersion version, int cut, Action<Socket, byte[]> send)
    {
        string id = NextId(cut);
        string response = await ExchangeAsync(layers, version, id, send, inGoodOrder: false, mayBeReset: false);

        Assert.StartsWith("HTTP/1.1 200 OK", response, StringComparison.Ordinal);
        Assert.Equal(2, response.Split(Answer).Length);
        Upload upload = await Proxies.Kestrel.Uploads.EndAsync(id);
        Assert.Equal(Upload.Whole(BodyLength), upload);
    }

    // What came before close_notify; nothing, where the connection ended in another way and that is no failure.
    private async Task<string> ExchangeAsync(
        LayerChoice layers, TlsVersion version, string id, Action<Socket, byte[]> send, bool inGoodOrder, bool mayBeReset)
    {
        using Socket socket = RawTlsClient.Connect(new IPEndPoint(IPAddress.Loopback, Proxy(layers).Port));
        try
        {
            return await Task.Run(() =>
            {
                using RecordStream client = RawTlsClient.HandshakeWithData(
                    socket, version, "http/1.1", encryptor => RequestRecords(encryptor, id, inGoodOrder), bytes => send(socket, bytes));
                (byte[] data, AlertDescription? alert, bool finished) = client.ReceiveAll();
                bool closed = finished && alert == AlertDescription.CloseNotify;
                Assert.True(closed || mayBeReset, $"{id}: the connection ended with {alert}, {data.Length} bytes and {(finished ? "FIN" : "a reset")}.");
                return closed ? Encoding.ASCII.GetString(data) : "";
            }).WaitAsync(Timeouts.Exchange);
        }
        catch (IOException end) when (mayBeReset && end.InnerException is not SocketException { SocketErrorCode: SocketError.TimedOut })
        {
            // Reset before the client's side of the handshake was over.
            return "";
        }
    }

    // Two records of data: a head, and a body that only its own record completes.
    private static byte[] RequestRecords(RecordEncryptor encryptor, string id, bool inGoodOrder)
    {
        string head = $"PUT /sink?id={id} HTTP/1.1\r\nHost: a\r\nContent-Length: {BodyLength}\r\nConnection: close\r\n\r\n";
        byte[] request =
        [
            .. encryptor.Seal(ContentType.ApplicationData, Encoding.ASCII.GetBytes(head)),
            .. encryptor.Seal(ContentType.ApplicationData, PatternBody.Take(BodyLength)),
        ];
        return inGoodOrder ? [.. request, .. encryptor.Seal(ContentType.Alert, [1, 0])] : request;
    }

    private static void SendCut(Socket socket, byte[] bytes, int cut)
    {
        socket.Send(bytes.AsSpan(0, cut));

        // Nothing tells a client how far its peer has read. Where this is too short the two pieces become one, which is another row.
        Thread.Sleep(TimeSpan.FromMilliseconds(2));
        socket.Send(bytes.AsSpan(cut));
    }

    private static void SendAndFinish(Socket socket, byte[] bytes)
    {
        socket.Send(bytes);
        socket.Shutdown(SocketShutdown.Send);
    }

    // Of one length, so that a cut means the same in every request.
    private static string NextId(int cut) => $"{cut:0000}-{Interlocked.Increment(ref _exchanges):00000}";

    // Where the proxy receives, the bytes take the same way as on a machine without kernel TLS; what is new is the kernel's part.
    private static int StepBetweenCuts(LayerChoice layers) => layers == LayerChoice.Both ? 1 : 9;

    private static int _exchanges;
    private const int Runs = 3;
    private const int BodyLength = 9;
    private static readonly string Answer = $"{BodyLength} {PatternBody.Sha256(BodyLength)}";
}
