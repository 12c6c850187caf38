using System.Globalization;
using Bench.Compare.Machine;

namespace Bench.Compare.Loads;

/// <summary>wrk: HTTP/1.1 in a closed loop, each connection sending when its last request was answered.</summary>
internal static class Wrk
{
    /// <param name="url">What to get.</param>
    /// <param name="connections">At once.</param>
    /// <param name="duration">For how long, in whole seconds.</param>
    /// <param name="headers">Further header fields.</param>
    public static async Task<LoadOutcome> RunAsync(string url, int connections, TimeSpan duration, params string[] headers)
    {
        List<string> command =
            ["wrk", "-t1", $"-c{connections}", $"-d{duration.TotalSeconds:F0}s", "--timeout", "30s", "-s", Script];
        foreach (string header in headers)
        {
            command.AddRange(["-H", header]);
        }

        ProgramResult said = await ChildProgram.RunAsync([.. command, url]);
        string? report = said.Output.Split('\n').FirstOrDefault(line => line.StartsWith("bench ", StringComparison.Ordinal));
        return report is null
            ? new LoadOutcome(0, 0, null, $"wrk gave no report: {said.Output}{said.Errors}".Trim())
            : Read([.. report.Split(' ').Skip(1).Select(word => long.Parse(word, CultureInfo.InvariantCulture))]);
    }

    // The fields of report.lua.
    private static LoadOutcome Read(long[] fields)
    {
        long[] errors = fields[2..7];
        string? error = errors.All(count => count == 0)
            ? null
            : $"wrk: connect {errors[0]}, read {errors[1]}, write {errors[2]}, not 2xx {errors[3]}, timeout {errors[4]}";
        return new LoadOutcome(fields[0], fields[1] / 1e6, new Latency(fields[7] / 1e3, fields[8] / 1e3, fields[9] / 1e3), error);
    }

    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "Loads", "report.lua");
}
