using System.Collections.Immutable;
using Ktls.Kernel;
using TlsProxy.Commands;

namespace TlsProxy;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        // Before any socket exists, because the runtime reads it once, with the first one: answers of
        // plain-text backends are handled on the thread that polled their socket instead of being handed to
        // the thread pool (docs/decisions/0004).
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

        ImmutableArray<string> refused = ProcessHardening.Apply();
        return await RunAsync(args, refused, Console.Out, Console.Error);
    }

    /// <summary>The whole program but for what concerns the process; returns the exit code.</summary>
    public static async Task<int> RunAsync(
        string[] args, IReadOnlyList<string> warnings, TextWriter output, TextWriter error, CancellationToken stop = default)
    {
        if (!CommandLine.TryParse(args, out CommandLine? line, out string? fault))
        {
            await error.WriteLineAsync(fault);
            await error.WriteLineAsync(CommandLine.Usage);
            return ExitCode.Usage;
        }

        try
        {
            return line.Command switch
            {
                Command.Run => await RunCommand.RunAsync(line.ConfigPath, warnings, error, stop),
                Command.Check => await CheckCommand.RunAsync(line.ConfigPath, output, error),
                Command.Doctor => await DoctorCommand.RunAsync(output),
                Command.Version => await Print(output, CommandLine.Version),
                _ => await Print(output, CommandLine.Usage),
            };
        }
        catch (Exception e)
        {
            // The last stop: whatever arrives here is a fault of this program, and the whole story is wanted.
            await error.WriteLineAsync($"internal error: {e}");
            return ExitCode.Internal;
        }
    }

    private static async Task<int> Print(TextWriter output, string text)
    {
        await output.WriteLineAsync(text);
        return ExitCode.Ok;
    }
}
