using System.Net;
using System.Net.Sockets;
using TestKit;
using TestKit.Origins;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>Does the program start, refuse to start and stop as an operator expects?</summary>
public sealed class ShutdownTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task TerminateLetsARunningResponseFinishAndRefusesNewConnections(int httpVersion)
    {
        await using KestrelOrigin origin = await KestrelOrigin.StartAsync();
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(Settings(origin));
        using HttpClient client = proxy.CreateClient(
            httpVersion == 1 ? HttpVersion.Version11 : HttpVersion.Version20);
        using HttpResponseMessage response = await client.GetAsync(
            "/slow?milliseconds=2000", HttpCompletionOption.ResponseHeadersRead);
        await proxy.TerminateAsync();
        await WaitUntilRefusedAsync(proxy.Port);
        string body = await response.Content.ReadAsStringAsync().WaitAsync(Timeouts.Exchange);

        Assert.Equal("begin\nend\n", body);
        Assert.Equal(0, await proxy.WaitForExitAsync());
    }

    [Fact]
    public async Task APortInUseIsNamedAndExitsWithThree()
    {
        await using KestrelOrigin origin = await KestrelOrigin.StartAsync();
        await using ProxyProcess first = await ProxyProcess.StartAsync(Settings(origin));
        using TemporaryDirectory directory = new();
        string file = directory.File("proxy.json");
        await File.WriteAllTextAsync(file, Settings(origin).ToJson(first.Port, first.Certificates));
        CommandResult second = await CommandRunner.RunAsync(
            RepositoryFiles.ProxyExecutable, ["run", "--config", file], timeout: Timeouts.Program);

        Assert.Equal(CouldNotStart, second.ExitCode);
        Assert.Contains($"{first.Port}", second.Output + second.Error, StringComparison.Ordinal);
        Assert.Contains("in use", second.Output + second.Error, StringComparison.OrdinalIgnoreCase);
        using HttpClient client = first.CreateClient();
        Assert.Equal("hello", await client.GetStringAsync("/hello"));
    }

    private static ProxySettings Settings(KestrelOrigin origin) =>
        new() { Origins = new Dictionary<string, Uri> { [""] = origin.Address } };

    private static async Task WaitUntilRefusedAsync(int port)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(1.5));
        while (true)
        {
            try
            {
                using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                await Task.Delay(TimeSpan.FromMilliseconds(20), patience.Token);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }

    private const int CouldNotStart = 3;
}
