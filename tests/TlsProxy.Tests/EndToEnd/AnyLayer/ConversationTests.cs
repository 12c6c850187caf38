using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text;
using TestKit;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>Do both sides hear each other out when a connection is more than one request and one answer?</summary>
public abstract class ConversationTests(ProxyProcess proxy) : EndToEndTest(proxy)
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task AClientThatHasFinishedSendingStillGetsItsAnswer(SslProtocols version)
    {
        await using SslStream tls = await Proxy.ConnectAsync(version);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(OpenSslClient.Get("/slow?milliseconds=500")));
        await tls.ShutdownAsync();
        using StreamReader reader = new(tls);
        string response = await reader.ReadToEndAsync().WaitAsync(Timeouts.Exchange);

        Assert.Contains("begin\n", response, StringComparison.Ordinal);
        Assert.Contains("end\n", response, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWebSocketEchoes()
    {
        using CancellationTokenSource patience = new(Timeouts.Exchange);
        using HttpClient client = Proxy.CreateClient();
        using ClientWebSocket socket = new();
        await socket.ConnectAsync(new Uri($"wss://localhost:{Proxy.Port}/websocket"), client, patience.Token);
        foreach (int length in (int[])[1, 125, 16384, 60_000])
        {
            byte[] message = PatternBody.Take(length);
            await socket.SendAsync(message, WebSocketMessageType.Binary, true, patience.Token);
            Assert.Equal(message, await ReceiveAsync(socket, patience.Token));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    private static async Task<byte[]> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        using MemoryStream message = new();
        byte[] buffer = new byte[4096];
        ValueWebSocketReceiveResult received;
        do
        {
            received = await socket.ReceiveAsync(buffer.AsMemory(), cancellation);
            message.Write(buffer, 0, received.Count);
        }
        while (!received.EndOfMessage);
        return message.ToArray();
    }
}
