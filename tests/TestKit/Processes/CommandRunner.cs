using System.Diagnostics;

namespace TestKit.Processes;

/// <summary>What a finished command left behind.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>Standard output and standard error, for a search and for a failure's message.</summary>
    public string Everything => $"exit code {ExitCode}\n{Output}\n{Error}";
}

/// <summary>Runs a command to its end, or kills it.</summary>
public static class CommandRunner
{
    /// <summary>
    /// Runs with stdin empty, or with <paramref name="input"/> writing it; stdin is closed when that
    /// completes.
    /// </summary>
    public static async Task<CommandResult> RunAsync(
        string file,
        IEnumerable<string> arguments,
        Func<StreamWriter, Task>? input = null,
        Func<Stream, Task<string>>? output = null,
        TimeSpan? timeout = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> standardOutput = output is null
            ? process.StandardOutput.ReadToEndAsync()
            : output(process.StandardOutput.BaseStream);
        Task<string> standardError = process.StandardError.ReadToEndAsync();
        _ = FeedAsync(process.StandardInput, input);
        try
        {
            // A command that has ended reads no more, so whoever still feeds it is not waited for.
            await Task.WhenAll(process.WaitForExitAsync(), standardOutput, standardError)
                .WaitAsync(timeout ?? Timeouts.Exchange);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            string error = await standardError;
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} did not end in time.\n{error}");
        }

        return new CommandResult(process.ExitCode, await standardOutput, await standardError);
    }

    private static async Task FeedAsync(StreamWriter standardInput, Func<StreamWriter, Task>? input)
    {
        try
        {
            if (input is not null)
            {
                await input(standardInput);
            }

            standardInput.Close();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The command ended without reading all of its input; its exit code and output say whether that
            // was right.
        }
    }
}
