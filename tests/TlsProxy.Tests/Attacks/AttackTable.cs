using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>docs/attacks.md.</summary>
internal sealed class AttackTable
{
    private readonly ConcurrentDictionary<string, string> _rows = new();

    public void Add(Attack attack, string did, AttackPeak peak, TimeSpan? nextServed)
    {
        string served = nextServed is { } time ? time.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) : "it has ended";
        string resident = (peak.ResidentGrowth / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture);
        _rows[attack.Name] = $"| {attack.Name} | {did} | {resident} | {peak.DescriptorGrowth} | {served} |";
    }

    /// <summary>Where tests/attack asked for it, and every attack was run.</summary>
    public void WriteWhenWhole()
    {
        if (Environment.GetEnvironmentVariable("TLSPROXY_ATTACK_TABLE") is { Length: > 0 } path && AttackCatalogue.All.All(attack => _rows.ContainsKey(attack.Name)))
        {
            StringBuilder text = new(Introduction);
            AttackCatalogue.All.ToList().ForEach(attack => text.AppendLine(_rows[attack.Name]));
            File.WriteAllText(Path.Combine(RepositoryFiles.Root, path), text.ToString());
        }
    }

    private const string Introduction = """
        # Attacks

        Written by `tests/attack`; the catalogue is in `tests/TlsProxy.Tests/Attacks`. After each attack the proxy was the same process, the
        resident set and the descriptors had stayed within their bounds, what the attack held was given back, a new client got its own answer,
        and a backend that records every request had seen none that nobody sent and none that two parsers could read differently. Most attacks
        share one proxy, so harm would add up.

        * **What it did** is the same on every machine.
        * **Memory** is the growth of the resident set at its peak, sampled every 40 ms, in MiB. It depends on the garbage collector's mood and the
          number of processors; the bound of a row is in the catalogue (64 MiB unless said there).
        * **Descriptors** added at the peak: connections that were open at once, those to origins included. The same on every machine but for timing.
        * **Next client** is the time in ms from connect to the whole answer for a new client, the worst of two or more, while the attack still held
          whatever it holds. It depends on the machine; the bound of a row is in the catalogue (1 s unless said there).

        | Attack | What it did | Memory | Descriptors | Next client |
        |---|---|---|---|---|

        """;
}
