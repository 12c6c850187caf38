using System.Globalization;
using System.Runtime.InteropServices;
using Bench.Compare.Origins;
using Bench.Compare.Plots;
using Bench.Compare.Results;

namespace Bench.Compare;

/// <summary>The tool behind bench/run and bench/plot.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        // Before the first socket: answers are handled on the thread that polled them, which leaves more of the
        // processors to what is measured.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        // An exit ends the peers and removes their folder; an interruption must be one, which the runtime leaves to programs.
        using PosixSignalRegistration interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Environment.Exit(130));
        using PosixSignalRegistration terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Environment.Exit(143));
        try
        {
            return args switch
            {
                ["run", .. string[] options] => await RunAsync(CommandLine.Parse(options)),
                ["plot", .. string[] files, string folder] when files.Length > 0 => Plot(files, folder),
                ["sink", string port] => Sink(int.Parse(port, CultureInfo.InvariantCulture)),
                ["help"] => Help(),
                _ => throw new BenchException(CommandLine.Usage),
            };
        }
        catch (BenchException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 2;
        }
        catch (Exception e)
        {
            // A fault of this tool. Let through, it would end the process without the exit that cleans up.
            await Console.Error.WriteLineAsync($"internal error: {e}");
            return 70;
        }
    }

    private static async Task<int> RunAsync(CommandLine line)
    {
        // In memory where that can be had: no disk shall take part.
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        string folder = Directory.CreateDirectory(Path.Combine(parent, $"tlsproxy-bench-{Environment.ProcessId}")).FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Remove(folder);
        // Peers that drop root must still find their files.
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        ResultFile file = await new Comparison(line, folder).RunAsync();
        await Console.Out.WriteAsync(ResultTable.Write(file));
        return file.Rows.Any(row => row.Error is not null) ? 1 : 0;
    }

    private static int Plot(string[] files, string folder)
    {
        ResultFile file = ResultFile.Read(files);
        Console.Write(ResultTable.Write(file));
        Pictures.Draw(file, folder);
        return 0;
    }

    private static int Help()
    {
        Console.WriteLine(CommandLine.Usage);
        return 0;
    }

    private static int Sink(int port)
    {
        UploadSink.Serve(port);
        return 0;
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
