using TlsProxy.Commands;
using TlsProxy.Tests.Config;
using Xunit;

namespace TlsProxy.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("", Command.Run, null)]
    [InlineData("run", Command.Run, null)]
    [InlineData("--config a.json", Command.Run, "a.json")]
    [InlineData("run --config a.json", Command.Run, "a.json")]
    [InlineData("--config a.json check", Command.Check, "a.json")]
    [InlineData("doctor", Command.Doctor, null)]
    [InlineData("--help", Command.Help, null)]
    [InlineData("--version", Command.Version, null)]
    internal void IsUnderstood(string args, Command command, string? path)
    {
        Assert.True(CommandLine.TryParse(Split(args), out CommandLine? line, out _));
        Assert.Equal(new CommandLine(command, path), line);
    }

    [Theory]
    [InlineData("serve", "'serve' is not understood.")]
    [InlineData("run check", "'check' is not understood.")]
    [InlineData("run extra", "'extra' is not understood.")]
    [InlineData("--config", "--config takes one file, once.")]
    [InlineData("--config a --config b", "--config takes one file, once.")]
    [InlineData("doctor --config a", "--config belongs to run and check.")]
    public async Task IsRefusedWithTheUsage(string args, string fault)
    {
        (int exitCode, string output, string error) = await ConfigFolder.RunAsync(Split(args));
        Assert.Equal((ExitCode.Usage, ""), (exitCode, output));
        Assert.StartsWith(fault + "\n", error, StringComparison.Ordinal);
        Assert.Contains("TlsProxy check [--config FILE]", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HelpAndVersionArePrinted()
    {
        (int help, string usage, _) = await ConfigFolder.RunAsync("--help");
        (int version, string number, _) = await ConfigFolder.RunAsync("--version");
        Assert.Equal((0, 0), (help, version));
        Assert.Contains("Exit codes: 0 fine, 1 configuration invalid", usage, StringComparison.Ordinal);
        Assert.Matches(@"^\d+\.\d+\.\d+\n$", number);
    }

    private static string[] Split(string args) => args.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
