using System.Globalization;

namespace TestKit.Pages;

/// <summary>One mapping of a process, from /proc/PID/smaps.</summary>
/// <param name="Start">Its first address.</param>
/// <param name="End">The address behind it.</param>
/// <param name="Access">As in <c>rw-s</c>.</param>
/// <param name="Name">The file; empty when anonymous.</param>
/// <param name="Flags">The VmFlags, for example <c>lo</c> (locked), <c>dd</c> (no dump), <c>dc</c> (no
/// fork).</param>
/// <param name="ResidentBytes">Of its pages, those in memory.</param>
public sealed record Mapping(nint Start, nint End, string Access, string Name, IReadOnlySet<string> Flags, long ResidentBytes);

/// <summary>What the kernel says about the mappings of a process.</summary>
public static class Mappings
{
    /// <summary>All of this process, in order of address.</summary>
    public static IReadOnlyList<Mapping> Read() => Read(Environment.ProcessId);

    /// <summary>All of any process, in order of address.</summary>
    public static IReadOnlyList<Mapping> Read(int processId)
    {
        var mappings = new List<Mapping>();
        string[] head = [];
        long resident = 0;
        foreach (string line in File.ReadLines($"/proc/{processId.ToString(CultureInfo.InvariantCulture)}/smaps"))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words[0] == "VmFlags:")
            {
                mappings.Add(Parse(head, words, resident));
            }
            else if (words[0] == "Rss:")
            {
                resident = 1024 * long.Parse(words[1], CultureInfo.InvariantCulture);
            }
            else if (!words[0].EndsWith(':'))
            {
                head = words;
            }
        }

        return mappings;
    }

    /// <summary>The one that holds <paramref name="address"/>.</summary>
    public static Mapping At(nint address) => Read().Single(m => m.Start <= address && address < m.End);

    // proc_pid_smaps(5): range, access, offset, device, inode, name; then lines of "Key: value".
    private static Mapping Parse(string[] head, string[] flags, long resident)
    {
        string[] range = head[0].Split('-');
        return new Mapping(
            nint.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            nint.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            head[1],
            head.Length > 5 ? head[5] : "",
            flags[1..].ToHashSet(),
            resident);
    }
}
