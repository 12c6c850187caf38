using TestKit;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>Do the less travelled paths of TLS and HTTP work through the proxy?</summary>
public sealed class ProtocolTests(OriginFixture origins)
    : ConversationTests(origins.Proxy), IClassFixture<OriginFixture>
{
    [Fact]
    public async Task OpenSsl35NegotiatesTheHybridGroup()
    {
        string openSsl = RepositoryFiles.OpenSsl35;
        Assert.True(File.Exists(openSsl), "OpenSSL 3.5 is missing. Remedy: tests/tools/get-openssl35.");
        CommandResult result = await OpenSslClient.GetAsync(Proxy, "/", ["-tls1_3"], openSsl);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains("Negotiated TLS1.3 group: X25519MLKEM768", result.Output, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200 OK", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("k")]
    [InlineData("K")]
    public async Task DataFlowsAfterAKeyUpdate(string command)
    {
        CommandResult result = await OpenSslClient.RunAsync(
            Proxy,
            async writer =>
            {
                for (int update = 0; update < 3; update++)
                {
                    // s_client takes a command letter only where it begins a read of its own.
                    await Task.Delay(TimeSpan.FromMilliseconds(300));
                    await writer.WriteAsync(command + "\n");
                    await writer.FlushAsync();
                }

                await Task.Delay(TimeSpan.FromMilliseconds(300));
                await writer.WriteAsync(OpenSslClient.Get("/hello"));
            },
            ["-tls1_3"]);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal(3, (result.Output + result.Error).Split("KEYUPDATE").Length - 1);
        Assert.Contains("HTTP/1.1 200 OK", result.Output, StringComparison.Ordinal);
        Assert.Contains("hello", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task ForwardedHeadersTellTheTruthWhateverTheClientClaims(string http)
    {
        CommandResult result = await Curl.RunAsync(
            Proxy,
            "/headers",
            http,
            "--header", "X-Forwarded-For: 203.0.113.7", "--header", "X-Forwarded-Proto: http",
            "--header", "X-Forwarded-Host: evil.example");

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains("X-Forwarded-For: 127.0.0.1\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("X-Forwarded-Proto: https\n", result.Output, StringComparison.Ordinal);
        Assert.Contains(
            $"X-Forwarded-Host: localhost:{Proxy.Port}\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("203.0.113.7", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("evil.example", result.Output, StringComparison.Ordinal);
    }
}
