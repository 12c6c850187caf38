using TestKit;
using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>Does the program start, refuse to start and stop as an operator expects?</summary>
public sealed class ShutdownTests : DrainTests
{
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

    private const int CouldNotStart = 3;
}
