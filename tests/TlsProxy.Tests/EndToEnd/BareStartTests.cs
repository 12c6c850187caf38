using TestKit;
using TestKit.Network;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>
/// Does a newcomer who types nothing but the program's name get a page, in curl and in a browser?
/// </summary>
[Collection(AloneDefinition.Name)]
public sealed class BareStartTests(BareStartTests.Fixture fixture) : IClassFixture<BareStartTests.Fixture>
{
    [Theory]
    [InlineData("--http1.1", "1.1")]
    [InlineData("--http2", "2")]
    public async Task CurlThatTrustsTheDevelopmentAuthorityGetsThePage(string http, string version)
    {
        CommandResult result = await CommandRunner.RunAsync(
            "curl",
            [
                "--silent", "--show-error", "--cacert", fixture.AuthorityFile, http,
                "--write-out", "%{stderr}%{http_code} %{http_version}", PageAddress,
            ]);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal($"200 {version}", result.Error);
        Assert.Contains(DemoText, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABrowserThatTrustsTheDevelopmentAuthorityShowsThePage()
    {
        using TemporaryDirectory home = new();
        string database = "sql:" + home.File(".pki/nssdb");
        Directory.CreateDirectory(home.File(".pki/nssdb"));
        await RunOrFailAsync("certutil", ["-d", database, "-N", "--empty-password"]);
        await RunOrFailAsync(
            "certutil", ["-d", database, "-A", "-t", "C,,", "-n", "dev", "-i", fixture.AuthorityFile]);
        CommandResult result = await CommandRunner.RunAsync(
            "chromium",
            [
                "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-sync", "--disable-dev-shm-usage", "--disable-background-networking",
                "--disable-component-update", $"--user-data-dir={home.File("profile")}",
                "--dump-dom", PageAddress,
            ],
            timeout: Timeouts.Program,
            environment: new Dictionary<string, string> { ["HOME"] = home.FullPath });

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains(DemoText, result.Output, StringComparison.Ordinal);
    }

    private static async Task RunOrFailAsync(string file, string[] arguments)
    {
        CommandResult result = await CommandRunner.RunAsync(file, arguments);
        Assert.True(result.ExitCode == 0, result.Everything);
    }

    private const string PageAddress = "https://localhost:8443/";
    private const string DemoText = "TlsProxy works";

    /// <summary>No arguments, no configuration, an empty directory: the defaults and nothing else.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private readonly TemporaryDirectory _directory = new();
        private RunningProgram? _program;

        public string AuthorityFile => _directory.File("certs/dev-ca.pem");

        public async ValueTask InitializeAsync()
        {
            await WaitUntilFreeAsync();
            _program = new RunningProgram(RepositoryFiles.ProxyExecutable, [], _directory.FullPath);
            await ProxyProcess.WaitForListenerAsync(_program, DefaultPort);
        }

        public async ValueTask DisposeAsync()
        {
            if (_program is not null)
            {
                await _program.DisposeAsync();
            }

            _directory.Dispose();
        }

        // Another program's page must not be taken for ours. A proxy of another run of this test is gone in a
        // moment.
        private static async Task WaitUntilFreeAsync()
        {
            using CancellationTokenSource patience = new(Timeouts.Program);
            while (!FreePort.CanBind(DefaultPort))
            {
                if (patience.IsCancellationRequested)
                {
                    throw new InvalidOperationException(
                        $"Port {DefaultPort} is in use; the bare start needs it.");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200));
            }
        }

        private const int DefaultPort = 8443;
    }
}
