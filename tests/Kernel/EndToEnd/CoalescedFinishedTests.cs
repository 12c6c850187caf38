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
        TlsStatistics before = TlsStatistics.Read();
        int length = 0;
        await AssertServedAsync(layers, version, "whole", (socket, bytes) =>
        {
            length = bytes.Length;
            socket.Send(bytes);
        });
        for (int cut = 1; cut < length; cut++)
        {
            await AssertServedAsync(layers, version, $"{cut:000}", (socket, bytes) => SendCut(socket, bytes, cut));
        }

        TlsStatistics.Read().Since(before).AssertInUse(layers, connections: length);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task AClientThatEndsInGoodOrderInTheSamePieceIsServed(LayerChoice layers, TlsVersion version)
    {
        for (int run = 0; run < Runs; run++)
        {
            await AssertServedAsync(layers, version, $"end{run}", SendAndFinish, endsInGoodOrder: true);
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task AClientThatEndsWithoutAWordInTheSamePieceIsServedOrCutOff(LayerChoice layers, TlsVersion version)
    {
        for (int run = 0; run < Runs; run++)
        {
            string id = NextId($"fin{run}");
            (string response, bool finished) = await ExchangeAsync(layers, version, id, SendAndFinish, endsInGoodOrder: false);
            Assert.True(!finished || response.Length == 0 || response.Contains(Answer, StringComparison.Ordinal), response);
        }

        using HttpClient next = Proxy(layers).CreateClient();
        Assert.Equal("hello", await next.GetStringAsync("/hello"));
    }

    private async Task AssertServedAsync(
        LayerChoice layers, TlsVersion version, string name, Action<Socket, byte[]> send, bool endsInGoodOrder = false)
    {
        string id = NextId(name);
        (string response, bool finished) = await ExchangeAsync(layers, version, id, send, endsInGoodOrder);

        Assert.True(finished, $"{name}: the connection was reset.");
        Assert.StartsWith("HTTP/1.1 200 OK", response, StringComparison.Ordinal);
        Assert.Equal(2, response.Split(Answer).Length);
        Upload upload = await Proxies.Kestrel.Uploads.EndAsync(id);
        Assert.Equal(Upload.Whole(BodyLength), upload);
    }

    private async Task<(string Response, bool Finished)> ExchangeAsync(
        LayerChoice layers, TlsVersion version, string id, Action<Socket, byte[]> send, bool endsInGoodOrder)
    {
        Socket socket = RawTlsClient.Connect(new IPEndPoint(IPAddress.Loopback, Proxy(layers).Port));
        try
        {
            return await Task.Run(() =>
            {
                using RecordStream client = RawTlsClient.HandshakeWithData(
                    socket, version, "http/1.1", encryptor => RequestRecords(encryptor, id, endsInGoodOrder), bytes => send(socket, bytes));
                (byte[] data, AlertDescription? alert, bool finished) = client.ReceiveAll();
                return (Encoding.ASCII.GetString(data), finished && alert == AlertDescription.CloseNotify);
            }).WaitAsync(Timeouts.Exchange);
        }
        catch (IOException end) when (!endsInGoodOrder && IsReset(end))
        {
            return ("", false);
        }
        finally
        {
            socket.Dispose();
        }
    }

    // Two records of data: a head, and a body that only its own record completes.
    private static byte[] RequestRecords(RecordEncryptor encryptor, string id, bool endsInGoodOrder)
    {
        string head = $"PUT /sink?id={id} HTTP/1.1\r\nHost: a\r\nContent-Length: {BodyLength}\r\nConnection: close\r\n\r\n";
        byte[] request =
        [
            .. encryptor.Seal(ContentType.ApplicationData, Encoding.ASCII.GetBytes(head)),
            .. encryptor.Seal(ContentType.ApplicationData, PatternBody.Take(BodyLength)),
        ];
        return endsInGoodOrder ? [.. request, .. encryptor.Seal(ContentType.Alert, [1, 0])] : request;
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

    private static bool IsReset(IOException end) =>
        end is EndOfStreamException or Org.BouncyCastle.Tls.TlsException
        || end.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown };

    private string NextId(string name) => $"{name}-{Interlocked.Increment(ref _exchanges):00000}";

    private static int _exchanges;
    private const int Runs = 10;
    private const int BodyLength = 9;
    private static readonly string Answer = $"{BodyLength} {PatternBody.Sha256(BodyLength)}";
}
