using System.Diagnostics;
using System.Text;

namespace Bench.Compare.Machine;

/// <summary>What a program printed and how it ended.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Errors);

/// <summary>A program beside this one: a peer, an origin. It and its children end with this process.</summary>
internal sealed class ChildProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly string _name;

    private ChildProgram(string name, ProcessStartInfo start)
    {
        _name = name;
        _process = Start(start);
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += KillAtExit;
    }

    public int Id => _process.Id;

    /// <summary>Starts a server and returns when its port accepts connections.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="port">A port of 127.0.0.1.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Variables beside the inherited ones.</param>
    public static async Task<ChildProgram> ServeAsync(
        string name, int port, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        await LocalPort.ThrowIfTakenAsync(name, port);
        ChildProgram program = new(name, Describe(command, environment));
        try
        {
            await program.WaitUntilListeningAsync(port);
            return program;
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    /// <summary>Or else the loads would find nobody, and say so in many other words.</summary>
    public void ThrowIfEnded()
    {
        if (_process.HasExited)
        {
            throw new BenchException($"{_name} ended with exit code {_process.ExitCode} in the middle of the work; unless it says why, something else stopped it. It said:\n{Output}");
        }
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<ProgramResult> RunAsync(params IReadOnlyList<string> command)
    {
        using Process process = Start(Describe(command, environment: null));
        EventHandler kill = (_, _) => KillTree(process);
        AppDomain.CurrentDomain.ProcessExit += kill;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        AppDomain.CurrentDomain.ProcessExit -= kill;
        return new ProgramResult(process.ExitCode, output, await errors);
    }

    /// <summary>Asks it to end as a service manager would, and insists after a while.</summary>
    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillAtExit;
        if (!_process.HasExited)
        {
            await RunAsync("sh", "-c", $"kill -TERM {Id}");
            Task ended = _process.WaitForExitAsync();
            if (await Task.WhenAny(ended, Task.Delay(Patience)) != ended)
            {
                KillTree(_process);
                await ended;
            }
        }

        _process.Dispose();
    }

    private async Task WaitUntilListeningAsync(int port)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await LocalPort.AcceptsAsync(port))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(started) > Patience)
            {
                string state = _process.HasExited ? $"ended with exit code {_process.ExitCode}" : "did not listen in time";
                throw new BenchException($"{_name} {state} (port {port}). It said:\n{Output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25));
        }
    }

    private string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    private void Keep(string? line)
    {
        lock (_output)
        {
            if (_output.Length < OutputMax)
            {
                _output.AppendLine(line);
            }
        }
    }

    private void KillAtExit(object? sender, EventArgs e) => KillTree(_process);

    private static void KillTree(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended meanwhile.
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new BenchException($"{start.FileName} cannot be started ({e.Message}); bench/run installs and publishes what is missing.");
        }
    }

    private static ProcessStartInfo Describe(IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment)
    {
        ProcessStartInfo start = new(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Characters: a peer that complains without end must not fill this process.
    private const int OutputMax = 20_000;
}
