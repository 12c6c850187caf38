using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using TestKit;
using TestKit.Network;
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
        using HttpClient client = Proxy.CreateClient();
        await WebSocketEcho.ExchangeAsync(client, "/websocket", [1, 125, 16384, 60_000]);
    }
}
