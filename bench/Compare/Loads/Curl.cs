using System.Diagnostics;
using System.Globalization;
using Bench.Compare.Machine;
using Bench.Compare.Origins;

namespace Bench.Compare.Loads;

/// <summary>Several curls at once, each moving one large body; the unit is 10^9 bytes.</summary>
internal static class Curl
{
    public static Task<LoadOutcome> DownloadAsync(string url, int clients) =>
        RunAsync(clients, ["-o", "/dev/null", "-w", "%{http_code} %{size_download}", url]);

    /// <summary>With a Content-Length; the sink's answer, the number of bytes that reached it, is what counts.</summary>
    public static Task<LoadOutcome> UploadAsync(string url, string file, int clients) =>
        RunAsync(clients, ["-H", "Expect:", "-X", "POST", "-T", file, "-w", "%{stderr}%{http_code} ", url]);

    private static async Task<LoadOutcome> RunAsync(int clients, string[] arguments)
    {
        long started = Stopwatch.GetTimestamp();
        ProgramResult[] said = await Task.WhenAll(Enumerable.Range(0, clients)
            .Select(_ => ChildProgram.RunAsync(["curl", "-sk", "--http1.1", .. arguments])));
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;

        string expected = string.Create(CultureInfo.InvariantCulture, $"200 {BenchOrigin.LargeBytes}");
        ProgramResult? bad = said.FirstOrDefault(result => result.ExitCode != 0 || result.Errors + result.Output != expected);
        string? error = bad is null ? null : $"curl: exit code {bad.ExitCode}, status and bytes \"{bad.Errors}{bad.Output}\", not \"{expected}\"";
        return new LoadOutcome(clients * BenchOrigin.LargeBytes / 1e9, seconds, null, error);
    }
}
