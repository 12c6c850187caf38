using System.Security.Cryptography;
using Bench.Compare.Machine;
using Bench.Compare.Peers;

namespace Bench.Compare.Origins;

/// <summary>What every peer stands in front of: one nginx that serves files and a greeting, and the sink, in memory.</summary>
internal sealed class BenchOrigin : IAsyncDisposable
{
    private readonly ChildProgram _files;
    private readonly ChildProgram _sink;

    private BenchOrigin(ChildProgram files, ChildProgram sink) => (_files, _sink) = (files, sink);

    /// <summary>The greeting at /, bytes with their newline.</summary>
    public const string Greeting = "hello, world";

    /// <summary>Bytes of /256m, which is also what is uploaded.</summary>
    public const long LargeBytes = 256L << 20;

    public static async Task<BenchOrigin> StartAsync(string folder)
    {
        string files = Path.Combine(folder, "www");
        Directory.CreateDirectory(files);
        Write(Path.Combine(files, "64k"), 64 << 10);
        Write(Path.Combine(files, "1m"), 1 << 20);
        Write(Path.Combine(files, "256m"), LargeBytes);
        string configuration = Nginx.WriteConfiguration(folder, "origin", workers: 1, connections: 8192,
            $$"""
            sendfile on;
            server {
                listen 127.0.0.1:{{LocalPort.Origin}} backlog=4096;
                root {{files}};
                location = / { default_type text/plain; return 200 "{{Greeting}}"; }
            }
            """);
        ChildProgram origin = await ChildProgram.ServeAsync("the origin (nginx)", LocalPort.Origin, Nginx.Command(configuration));
        try
        {
            string[] sink = [Environment.ProcessPath!, "sink", $"{LocalPort.Sink}"];
            return new BenchOrigin(origin, await ChildProgram.ServeAsync("the upload sink", LocalPort.Sink, sink));
        }
        catch
        {
            await origin.DisposeAsync();
            throw;
        }
    }

    public void ThrowIfEnded()
    {
        _files.ThrowIfEnded();
        _sink.ThrowIfEnded();
    }

    public async ValueTask DisposeAsync()
    {
        await _files.DisposeAsync();
        await _sink.DisposeAsync();
    }

    /// <summary>The file that is uploaded.</summary>
    public static string UploadFile(string folder) => Path.Combine(folder, "www", "256m");

    // Random, so that nobody wins by compressing.
    private static void Write(string file, long bytes)
    {
        byte[] piece = RandomNumberGenerator.GetBytes((int)Math.Min(bytes, 1 << 20));
        using FileStream stream = File.Create(file);
        for (long written = 0; written < bytes; written += piece.Length)
        {
            stream.Write(piece);
        }
    }
}
