using System.Net;
using System.Net.Security;
using System.Text;
using Kernel.Tests.EndToEnd;
using TestKit;
using TestKit.Network;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.Soak;

/// <summary>Clients that must not notice anything: each error of theirs fails the soak.</summary>
internal static class UndisturbedClients
{
    public static SoakClient[] All { get; } =
    [
        new("small requests, kept alive", 16, false, SmallRequestsAsync),
        new("one request per connection", 8, false, OneRequestAsync),
        new("downloads", 10, false, DownloadsAsync),
        new("uploads", 10, false, UploadsAsync),
        new("HTTP/2, eight at once", 4, false, ManyAtOnceAsync),
        new("WebSocket", 4, false, EchoesAsync),
        new("KeyUpdates between requests", 4, false, KeyUpdatesAsync),
        new("slow readers", 8, false, SlowReadAsync),
    ];

    private static async Task SmallRequestsAsync(SoakSession session)
    {
        using HttpClient client = session.AnyClient();
        for (int request = session.Random.Next(1, 100); request > 0 && !session.End.IsCancellationRequested; request--)
        {
            await session.GetHelloAsync(client);
        }
    }

    private static async Task OneRequestAsync(SoakSession session)
    {
        await using SslStream tls = await session.Proxy.ConnectAsync(session.AnyVersion);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(OpenSslClient.Get("/hello")));
        using StreamReader reader = new(tls);
        string response = await reader.ReadToEndAsync().WaitAsync(Timeouts.Exchange);
        Assert.StartsWith("HTTP/1.1 200 OK", response, StringComparison.Ordinal);
        Assert.Contains("hello", response, StringComparison.Ordinal);
    }

    private static async Task DownloadsAsync(SoakSession session)
    {
        using HttpClient client = session.AnyClient();
        for (int request = 0; request < 10; request++)
        {
            await session.DownloadAsync(client, session.AnyLength());
        }
    }

    private static async Task UploadsAsync(SoakSession session)
    {
        using HttpClient client = session.AnyClient();
        for (int request = 0; request < 10; request++)
        {
            await session.UploadAsync(client, session.AnyLength());
        }
    }

    private static async Task ManyAtOnceAsync(SoakSession session)
    {
        using HttpClient client = session.Proxy.CreateClient(HttpVersion.Version20, Timeouts.Program, session.AnyVersion);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => (number % 3) switch
        {
            0 => session.GetHelloAsync(client),
            1 => session.DownloadAsync(client, session.AnyLength()),
            _ => session.UploadAsync(client, session.AnyLength()),
        }));
    }

    private static async Task EchoesAsync(SoakSession session)
    {
        using HttpClient client = session.Proxy.CreateClient(HttpVersion.Version11, Timeouts.Program, session.AnyVersion);
        int[] lengths = [.. Enumerable.Range(0, 8).Select(_ => session.Random.Next(1, 60_000))];
        await WebSocketEcho.ExchangeAsync(client, "/websocket", lengths);
        session.Ledger.Compared(2 * lengths.Sum());
    }

    private static async Task KeyUpdatesAsync(SoakSession session)
    {
        using HttpRecordClient client = await HttpRecordClient.ConnectAsync(session.Proxy);
        for (int request = 0; request < 10; request++)
        {
            client.Get("/hello");
            await client.ReceiveToAsync("0\r\n\r\n");
            client.Records.UpdateKeys(requestPeer: request % 2 == 0);
        }

        Assert.Equal(10, client.Text.Split("\r\nhello\r\n").Length - 1);
        await session.PauseAsync(100);
    }

    private static async Task SlowReadAsync(SoakSession session)
    {
        using HttpClient client = session.AnyClient();
        await session.DownloadAsync(client, 400_000 + session.AnyLength() % 100_000, isPatient: true);
    }
}
