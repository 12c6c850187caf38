using System.Globalization;

namespace Bench.Compare.Machine;

/// <summary>What a program and all its descendants use, from /proc.</summary>
internal sealed class ProcessTree(int root)
{
    /// <summary>User and system time so far, in seconds, in steps of 10 ms.</summary>
    public double CpuSeconds => Members().Sum(CpuTicks) / TicksPerSecond;

    /// <summary>
    /// Proportional set size in bytes: shared pages count once among those who share them. Null where it may
    /// not be read: TlsProxy is not dumpable, so only root may.
    /// </summary>
    public long? PssBytes
    {
        get
        {
            long[] sizes = [.. Members().Select(Pss)];
            return sizes.Contains(Unreadable) ? null : sizes.Sum();
        }
    }

    private List<int> Members()
    {
        Dictionary<int, List<int>> children = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int id) && Fields(id) is { } fields)
            {
                int parent = int.Parse(fields[ParentField], CultureInfo.InvariantCulture);
                (children.TryGetValue(parent, out List<int>? known) ? known : children[parent] = []).Add(id);
            }
        }

        List<int> members = [root];
        for (int i = 0; i < members.Count; i++)
        {
            members.AddRange(children.GetValueOrDefault(members[i], []));
        }

        return members;
    }

    private static double CpuTicks(int id) => Fields(id) is { } fields
        ? long.Parse(fields[UserTimeField], CultureInfo.InvariantCulture) + long.Parse(fields[SystemTimeField], CultureInfo.InvariantCulture)
        : 0;

    private static long Pss(int id)
    {
        try
        {
            string line = File.ReadLines($"/proc/{id}/smaps_rollup").First(l => l.StartsWith("Pss:", StringComparison.Ordinal));
            return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return Unreadable;
        }
    }

    // Of /proc/PID/stat what follows the name, which may hold spaces and parentheses; null when it has ended.
    private static string[]? Fields(int id)
    {
        try
        {
            string text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    // proc_pid_stat(5), less the two fields in front.
    private const int ParentField = 1;
    private const int UserTimeField = 11;
    private const int SystemTimeField = 12;

    // USER_HZ, which is 100 on every architecture .NET runs on.
    private const double TicksPerSecond = 100;
    private const long Unreadable = -1;
}
