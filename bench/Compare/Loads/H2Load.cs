using System.Globalization;
using System.Text.RegularExpressions;
using Bench.Compare.Machine;

namespace Bench.Compare.Loads;

/// <summary>h2load: HTTP/2 in a closed loop, a fixed number of streams on each connection.</summary>
internal static partial class H2Load
{
    /// <param name="folder">For its log, which is the only way to the percentiles.</param>
    /// <param name="url">What to get.</param>
    /// <param name="connections">At once.</param>
    /// <param name="streams">At once on each.</param>
    /// <param name="duration">For how long, in whole seconds.</param>
    public static async Task<LoadOutcome> RunAsync(string folder, string url, int connections, int streams, TimeSpan duration)
    {
        string log = Path.Combine(folder, "h2load.log");
        File.Delete(log);
        ProgramResult said = await ChildProgram.RunAsync(
            "h2load", "-t1", $"-c{connections}", $"-m{streams}", $"-D{duration.TotalSeconds:F0}", $"--log-file={log}", url);
        Match finished = Finished().Match(said.Output);
        Match codes = Codes().Match(said.Output);
        if (!finished.Success || !codes.Success)
        {
            return new LoadOutcome(0, 0, null, $"h2load gave no report: {said.Output}{said.Errors}".Trim());
        }

        long good = Number(codes.Groups["good"].Value);
        string? error = codes.Groups["bad"].Captures.Any(count => Number(count.Value) > 0) || Number(finished.Groups["errored"].Value) > 0
            ? $"h2load: {codes.Value}; {finished.Groups["requests"].Value}"
            : null;
        return new LoadOutcome(good, duration.TotalSeconds, ReadLatency(log), error);
    }

    // One line per request: when it started, its status, and the microseconds until its end.
    private static Latency? ReadLatency(string log)
    {
        List<long> taken = [.. File.ReadLines(log).Select(line => Number(line.Split('\t')[2]))];
        if (taken.Count == 0)
        {
            return null;
        }

        taken.Sort();
        return new Latency(At(0.5), At(0.99), At(0.999));

        double At(double share) => taken[(int)(share * (taken.Count - 1))] / 1e3;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<requests>requests: .* (?<errored>\d+) errored.*)")]
    private static partial Regex Finished();

    [GeneratedRegex(@"status codes: (?<good>\d+) 2xx, (?<bad>\d+) 3xx, (?<bad>\d+) 4xx, (?<bad>\d+) 5xx")]
    private static partial Regex Codes();
}
