using System.Net;
using System.Net.Sockets;
using Aead.Records;
using TestKit;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>Is what the proxy does not speak refused with the right alert, as real clients see it?</summary>
[Trait("Claim", "C3")]
public sealed class RefusalTests(OriginFixture origins)
    : EndToEndTest(origins.Proxy), IClassFixture<OriginFixture>
{
    [Fact]
    public async Task PlainHttpIsAnsweredWithATlsAlert()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Proxy.Port);
        await socket.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        await using NetworkStream stream = new(socket);
        byte[] alert = new byte[7];
        await stream.ReadExactlyAsync(alert).AsTask().WaitAsync(Timeouts.Exchange);

        // RFC 8446 §6: an alert record, of length 2, fatal.
        Assert.Equal((byte)ContentType.Alert, alert[0]);
        Assert.Equal([0, 2, 2], alert[3..6]);
        Assert.Equal(0, await stream.ReadAsync(alert).AsTask().WaitAsync(Timeouts.Exchange));
    }

    [Theory]
    [InlineData("-tls1")]
    [InlineData("-tls1_1")]
    public async Task OldVersionsAreRefusedWithProtocolVersion(string version) =>
        await AssertRefusedAsync(AlertDescription.ProtocolVersion, version, "-cipher", "DEFAULT@SECLEVEL=0");

    [Theory]
    [InlineData("ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA")]
    [InlineData("AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA")]
    [InlineData("DHE-RSA-AES128-GCM-SHA256")]
    public async Task SuitesWithoutAeadOrWithoutEphemeralEllipticKeysAreRefused(string suites) =>
        await AssertRefusedAsync(AlertDescription.HandshakeFailure, "-tls1_2", "-cipher", suites);

    [Fact]
    public async Task RenegotiationIsRefused()
    {
        CommandResult result = await OpenSslClient.RunAsync(
            Proxy,
            async writer =>
            {
                await Task.Delay(Settle);
                await writer.WriteAsync("R\n");
                await writer.FlushAsync();
                await Task.Delay(Settle);
            },
            ["-tls1_2"]);

        Assert.Contains("RENEGOTIATING", result.Error + result.Output, StringComparison.Ordinal);
        Assert.Contains("no renegotiation", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Output.Split("Cipher is ")[1..]);
    }

    [Fact]
    [Trait("Claim", "C9")]
    public async Task AfterAllRefusalsTheNextClientIsServed()
    {
        await PlainHttpIsAnsweredWithATlsAlert();
        using HttpClient client = Proxy.CreateClient();
        Assert.Equal("hello", await client.GetStringAsync("/hello"));
    }

    private async Task AssertRefusedAsync(AlertDescription alert, params string[] arguments)
    {
        CommandResult result = await OpenSslClient.GetAsync(Proxy, "/", arguments);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains($"SSL alert number {(int)alert}", result.Error, StringComparison.Ordinal);
    }

    // s_client takes a command letter only where it begins a read of its own.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(400);
}
