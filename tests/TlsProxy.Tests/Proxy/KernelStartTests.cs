using Ktls;
using TestKit;
using TestKit.Network;
using TestKit.Processes;
using TlsProxy.Commands;
using Xunit;

namespace TlsProxy.Tests.Proxy;

/// <summary>What does a start do with a machine that has kernel TLS, or has not? Either is right here, and must be told as it is.</summary>
public sealed class KernelStartTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    [Theory]
    [InlineData("Transmit")]
    [InlineData("Receive")]
    public async Task On_serves_or_refuses_with_one_sentence(string direction)
    {
        (RunningProgram program, int port) = Start($"{{ \"{direction}\": \"On\" }}");
        await using RunningProgram running = program;
        string finding = KernelTls.OfThisMachine().Lines()
            .First(line => line.Finding.StartsWith(direction.ToLowerInvariant() + ": ", StringComparison.Ordinal)).Finding;
        if (finding.EndsWith(": kernel", StringComparison.Ordinal))
        {
            await ProxyProcess.WaitForListenerAsync(running, port);
            return;
        }

        Assert.Equal(ExitCode.CouldNotStart, await running.WaitForExitAsync(Timeouts.Program));
        Assert.StartsWith($"error: Listener 'https' has Kernel:{direction} On, but ", running.Output, StringComparison.Ordinal);
        Assert.EndsWith($"; or set Kernel:{direction} to Auto.", running.Output.TrimEnd(), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', running.Output.Trim());
    }

    [Theory]
    [InlineData("{ }", "kernel", "user space (")]
    [InlineData("{ \"Transmit\": \"Off\", \"Receive\": \"Off\" }", "user space (it is set to Off)", "user space (it is set to Off)")]
    public async Task Auto_and_Off_serve_and_say_who_protects_what(string settings, string ifSupported, string ifNot)
    {
        (RunningProgram program, int port) = Start(settings);
        await using RunningProgram running = program;
        await ProxyProcess.WaitForListenerAsync(running, port);
        for (long end = Environment.TickCount64 + 10_000; !running.Output.Contains("record layers: ", StringComparison.Ordinal);)
        {
            Assert.True(Environment.TickCount64 < end, running.Output);
            await Task.Delay(25);
        }

        string either = $"({Escape(ifSupported)}|{Escape(ifNot)})";
        Assert.Matches($"record layers: transmit: {either}.*; receive: {either}", running.Output);
    }

    [Fact]
    public async Task Check_does_not_ask_the_machine()
    {
        File.WriteAllText(_folder.File("on.json"), Configuration(FreePort.Next(), "{ \"Transmit\": \"On\", \"Receive\": \"On\" }"));
        CommandResult result = await CommandRunner.RunAsync(
            RepositoryFiles.ProxyExecutable, ["check", "--config", _folder.File("on.json")], timeout: Timeouts.Program);
        Assert.Equal((ExitCode.Ok, ""), (result.ExitCode, result.Error));
    }

    public void Dispose() => _folder.Dispose();

    private (RunningProgram Program, int Port) Start(string kernel)
    {
        int port = FreePort.Next();
        File.WriteAllText(_folder.File("proxy.json"), Configuration(port, kernel));
        string[] arguments = ["run", "--config", _folder.File("proxy.json")];
        return (new RunningProgram(RepositoryFiles.ProxyExecutable, arguments, _folder.FullPath), port);
    }

    private static string Configuration(int port, string kernel) =>
        $$"""{ "TlsProxy": { "Listeners": { "https": { "Address": "127.0.0.1:{{port}}", "Kernel": {{kernel}} } } } }""";

    private static string Escape(string text) => System.Text.RegularExpressions.Regex.Escape(text);
}
