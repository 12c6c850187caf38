using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Aead;
using Kernel.Tests.EndToEnd;
using TestKit;
using TestKit.Network;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.Soak;

/// <summary>
/// Clients that break off, forge, stall or talk nonsense, and clients of origins that do. Their connections may end, but what reaches them or
/// an origin before that is right, and an end that looks whole is whole.
/// </summary>
internal static class DisturbedClients
{
    public static SoakClient[] All { get; } =
    [
        new("upload, then reset", 4, true, session => BreakUploadAsync(session, isReset: true)),
        new("upload, then FIN without close_notify", 4, true, session => BreakUploadAsync(session, isReset: false)),
        new("download, then reset", 4, true, BreakDownloadAsync),
        new("interfered records", 6, true, InterfereAsync),
        new("KeyUpdate flood", 2, true, FloodKeyUpdatesAsync),
        new("half-open handshake", 6, true, HalfOpenAsync),
        new("garbage", 4, true, GarbageAsync),
        new("origin that resets", 4, true, CutAsync),
        new("origin that is killed and restarted", 2, true, FetchFromMortalAsync),
    ];

    // A promise that is not kept: an origin that takes such an upload for complete was deceived.
    private static async Task BreakUploadAsync(SoakSession session, bool isReset)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await using SslStream tls = await session.Proxy.ConnectAsync(socket, session.AnyVersion);
        await tls.WriteAsync(Encoding.ASCII.GetBytes($"PUT /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: {NeverReached}\r\n\r\n"));
        await tls.WriteAsync(PatternBody.Take(session.Random.Next(1, 300_000)));
        session.IsDisturbed = true;
        if (isReset)
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
            return;
        }

        socket.Shutdown(SocketShutdown.Send);
        await ReadAwayAsync(tls);
    }

    private static async Task BreakDownloadAsync(SoakSession session)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await using SslStream tls = await session.Proxy.ConnectAsync(socket, session.AnyVersion);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(OpenSslClient.Get("/pattern?length=4000000")));
        byte[] begun = new byte[session.Random.Next(1, 200_000)];
        await tls.ReadExactlyAsync(begun).AsTask().WaitAsync(Timeouts.Exchange);
        session.CompareBegun(begun);
        session.IsDisturbed = true;
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    private static async Task InterfereAsync(SoakSession session)
    {
        TlsVersion version = session.Random.Next(2) == 0 ? TlsVersion.Tls12 : TlsVersion.Tls13;
        InterferenceKind kind = session.Random.GetItems(Enum.GetValues<InterferenceKind>(), 1)[0];
        bool toServer = session.Random.Next(2) == 0;
        await using ManInTheMiddle middle = new(session.Proxy.Port, new Interference(kind, toServer, session.Random.Next(1, 8), version));
        using AlertObservingClient client = await Task.Run(() => new AlertObservingClient(middle.Port, version));
        if (toServer)
        {
            await client.WriteRecordsUntilRefusedAsync(number => number == 0
                ? Encoding.ASCII.GetBytes($"PUT /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: {NeverReached}\r\n\r\n")
                : UploadRecord(number - 1), 12);
        }
        else
        {
            client.WriteRecord(Encoding.ASCII.GetBytes(OpenSslClient.Get("/pattern?length=300000")));
        }

        byte[] received = await client.ReadToEndAsync().WaitAsync(Timeouts.Exchange);
        session.IsDisturbed = middle.Interfered.IsCompletedSuccessfully;
        if (!toServer)
        {
            session.CompareBegun(received);
        }
    }

    private static async Task FloodKeyUpdatesAsync(SoakSession session)
    {
        using HttpRecordClient client = await HttpRecordClient.ConnectAsync(session.Proxy);
        for (int update = 0; update < 100; update++)
        {
            client.Records.UpdateKeys(requestPeer: true);
        }

        session.IsDisturbed = true;
        await client.ReceiveEndAsync();
        await session.PauseAsync(500);
    }

    private static async Task HalfOpenAsync(SoakSession session)
    {
        using Socket socket = await ConnectAsync(session);

        // A record that is never finished, or not even begun.
        byte[] begun = [22, 3, 1, 1, 0, 1, 0, 0, 0xFC];
        await socket.SendAsync(begun.AsMemory(0, session.Random.Next(begun.Length + 1)));
        session.IsDisturbed = true;
        await session.PauseAsync(session.Random.Next(4_000));
    }

    private static async Task GarbageAsync(SoakSession session)
    {
        await session.PauseAsync(50);
        using Socket socket = await ConnectAsync(session);
        byte[] garbage = new byte[session.Random.Next(1, 5_000)];
        session.Random.NextBytes(garbage);
        await socket.SendAsync(garbage);
        session.IsDisturbed = true;
        socket.Shutdown(SocketShutdown.Send);
        await ReadAwayAsync(new NetworkStream(socket));
    }

    private static async Task CutAsync(SoakSession session)
    {
        using HttpClient client = session.AnyClient();
        string path = session.Random.Next(2) == 0 ? "/cut-length" : "/cut-chunk";
        using HttpResponseMessage response = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
        session.IsDisturbed = true;
        if (response.StatusCode == HttpStatusCode.OK)
        {
            string body = await response.Content.ReadAsStringAsync(CancellationToken.None);
            Assert.Fail($"A body that was cut looks whole: '{body}'.");
        }

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
    }

    private static async Task FetchFromMortalAsync(SoakSession session)
    {
        using HttpClient client = session.AnyClient();
        using HttpResponseMessage response = await client.GetAsync(
            $"/throttled/{SoakFixture.MortalLength}", HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
        session.IsDisturbed = true;
        if (response.StatusCode == HttpStatusCode.OK)
        {
            long length = await session.CompareAsync(await response.Content.ReadAsStreamAsync(CancellationToken.None));
            Assert.Equal(SoakFixture.MortalLength, length);
            return;
        }

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        await session.PauseAsync(100);
    }

    private static async Task<Socket> ConnectAsync(SoakSession session)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, session.Proxy.Port);
        return socket;
    }

    private static byte[] UploadRecord(int number)
    {
        byte[] body = new byte[RecordBody];
        PatternBody.Fill(body, (long)number * RecordBody);
        return body;
    }

    private static Task ReadAwayAsync(Stream stream) => stream.CopyToAsync(Stream.Null).WaitAsync(Timeouts.Exchange);

    private const int RecordBody = 16_000;
    private const long NeverReached = 1L << 30;
}
