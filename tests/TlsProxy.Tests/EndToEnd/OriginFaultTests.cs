using TestKit;
using TestKit.Network;
using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>
/// What does a client see of an origin that is down, silent or cut off? An error, never a short body that
/// looks whole.
/// </summary>
public sealed class OriginFaultTests(OriginFaultTests.Fixture fixture)
    : EndToEndTest(fixture.Proxy), IClassFixture<OriginFaultTests.Fixture>
{
    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task AnOriginThatIsDownIsBadGateway(string http)
    {
        CommandResult result = await Curl.RunAsync(Proxy, "/down", http);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.StartsWith("502", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task AnOriginThatNeverAnswersIsGatewayTimeout(string http)
    {
        CommandResult result = await Curl.RunAsync(Proxy, "/never", http);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.StartsWith("504", result.Error, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Cuts()
    {
        TheoryData<string, string> rows = [];
        foreach (string path in (string[])["/cut-length", "/cut-chunk", "/cut-close"])
        {
            foreach (string http in (string[])["--http1.0", "--http1.1", "--http2"])
            {
                rows.Add(path, http);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task AnOriginThatResetsInsideTheBodyIsNoCleanEnd(string path, string http)
    {
        for (int run = 0; run < 5; run++)
        {
            CommandResult result = await Curl.RunAsync(Proxy, path, ClientFor(http));

            bool refused = result.ExitCode == 0 && result.Error.StartsWith("502", StringComparison.Ordinal);
            Assert.True(refused || IsCut(result), result.Everything);
        }

        await AssertServesNextAsync();
    }

    [Theory]
    [InlineData("--http1.0")]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task AnOriginThatEndsItsBodyByClosingIsWhole(string http)
    {
        CommandResult result = await Curl.RunAsync(Proxy, "/whole-close", ClientFor(http));

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.StartsWith("200", result.Error, StringComparison.Ordinal);
        Assert.Equal(ShortBody, result.Output);
    }

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task AnOriginKilledInsideTheBodyIsNoCleanEnd(string http)
    {
        await using NginxOrigin nginx = await NginxOrigin.StartAsync(4 << 20);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            new ProxySettings { Origins = new Dictionary<string, Uri> { [""] = nginx.Address } });
        TaskCompletionSource firstByte = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<CommandResult> fetching = CommandRunner.RunAsync(
            "curl",
            [
                "--silent", "--cacert", proxy.Certificates.AuthorityFile, http,
                $"{proxy.Address}throttled/{4 << 20}",
            ],
            output: async body =>
            {
                await body.ReadExactlyAsync(new byte[1]);
                firstByte.SetResult();
                await body.CopyToAsync(Stream.Null);
                return "";
            });
        await firstByte.Task.WaitAsync(Timeouts.Exchange);
        await nginx.KillAsync();
        CommandResult result = await fetching;

        Assert.True(IsCut(result), result.Everything);
        CommandResult next = await Curl.RunAsync(proxy, "/");
        Assert.StartsWith("502", next.Error, StringComparison.Ordinal);
    }

    private async Task AssertServesNextAsync()
    {
        using HttpClient next = Proxy.CreateClient();
        Assert.Equal("hello", await next.GetStringAsync("/hello"));
    }

    // curl would offer ALPN "http/1.0", which nobody speaks; without ALPN it is served as HTTP/1.x.
    private static string[] ClientFor(string http) => http == "--http1.0" ? [http, "--no-alpn"] : [http];

    private static bool IsCut(CommandResult result) =>
        result.ExitCode is PartialFile or ReceiveError or StreamError;

    // curl's exit codes: CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_HTTP2_STREAM.
    private const int PartialFile = 18;
    private const int ReceiveError = 56;
    private const int StreamError = 92;
    private const string ShortBody = "a short body";

    public sealed class Fixture : IAsyncLifetime
    {
        private readonly List<RawOrigin> _origins =
        [
            RawOrigin.ResettingAfter("HTTP/1.1 200 OK\r\nContent-Length: 100000", ShortBody),
            RawOrigin.ResettingAfter(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", $"c\r\n{ShortBody}\r\n"),
            RawOrigin.ResettingAfter("HTTP/1.0 200 OK\r\nConnection: close", ShortBody),
            RawOrigin.ClosingAfter("HTTP/1.0 200 OK\r\nConnection: close", ShortBody),
        ];

        private KestrelOrigin _kestrel = null!;

        public ProxyProcess Proxy { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _kestrel = await KestrelOrigin.StartAsync();
            Proxy = await ProxyProcess.StartAsync(new ProxySettings
            {
                OriginPatience = TimeSpan.FromSeconds(1),
                Origins = new Dictionary<string, Uri>
                {
                    ["/hello"] = _kestrel.Address,
                    ["/never"] = _kestrel.Address,
                    ["/down"] = new($"http://127.0.0.1:{FreePort.Next()}"),
                    ["/cut-length"] = _origins[0].Address,
                    ["/cut-chunk"] = _origins[1].Address,
                    ["/cut-close"] = _origins[2].Address,
                    ["/whole-close"] = _origins[3].Address,
                },
            });
        }

        public async ValueTask DisposeAsync()
        {
            if (Proxy is not null)
            {
                await Proxy.DisposeAsync();
            }

            await _kestrel.DisposeAsync();
            foreach (RawOrigin origin in _origins)
            {
                await origin.DisposeAsync();
            }
        }
    }
}
