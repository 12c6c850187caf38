using System.Globalization;
using System.Runtime.InteropServices;

namespace Bench.Compare.Machine;

/// <summary>Where and with what was measured, for whoever reads the numbers later.</summary>
/// <param name="Date">UTC, ISO 8601.</param>
/// <param name="Processor">As /proc/cpuinfo names it.</param>
/// <param name="Processors">How many this process may use.</param>
/// <param name="Kernel">Its release.</param>
/// <param name="Programs">The versions of what took part.</param>
internal sealed record MachineFacts(string Date, string Processor, int Processors, string Kernel, IReadOnlyList<string> Programs)
{
    public static async Task<MachineFacts> ReadAsync()
    {
        List<string> programs = [RuntimeInformation.FrameworkDescription];
        foreach (string[] command in Versions)
        {
            ProgramResult said = await ChildProgram.RunAsync(command);
            programs.Add((said.Output + said.Errors).Split('\n')[0].Trim());
        }

        string model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) ?? ": unknown";
        return new MachineFacts(
            DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture),
            model[(model.IndexOf(':') + 1)..].Trim(),
            Environment.ProcessorCount,
            (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease")).Trim(),
            programs);
    }

    /// <summary>The descriptors this process, and what it starts, may open; null when unlimited.</summary>
    public static long? DescriptorsMax()
    {
        string line = File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return long.TryParse(soft, CultureInfo.InvariantCulture, out long limit) ? limit : null;
    }

    private static readonly string[][] Versions =
        [["openssl", "version"], ["nginx", "-v"], ["haproxy", "-v"], ["hitch", "--version"], ["wrk", "-v"], ["h2load", "--version"], ["curl", "--version"]];
}
