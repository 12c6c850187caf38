using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using TestKit.Processes;

namespace TlsProxy.Tests.EndToEnd.Soak;

/// <summary>What the proxy held from the start to the end of a soak.</summary>
internal sealed class SoakWatch(ProxyProcess proxy)
{
    private readonly List<(string When, ProxyFigures Figures)> _rows = [];
    private readonly ConcurrentQueue<ProxyFigures> _all = new();

    /// <summary>Looks once a second until the end.</summary>
    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            _all.Enqueue(await proxy.LookAsync());
            await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
        }
    }

    /// <summary>
    /// A row of the table: of each figure the least of a few looks, garbage collected before each, so that what one moment happens to hold
    /// is not taken for growth.
    /// </summary>
    public async Task<ProxyFigures> TakeRowAsync(string when, int looks)
    {
        ProxyFigures? least = null;
        for (int look = 0; look < looks; look++)
        {
            ProxyFigures now = await proxy.LookAsync(collect: true);
            least = least is null ? now : Least(least, now);
            await Task.Delay(TimeSpan.FromMilliseconds(250));
        }

        _rows.Add((when, least!));
        return least!;
    }

    /// <summary>The rows, and the most that was seen.</summary>
    public string ToTable()
    {
        StringBuilder table = new();
        table.AppendLine("| | resident | managed | threads | descriptors | slots | copies | connections |");
        table.AppendLine("|---|---|---|---|---|---|---|---|");
        _rows.ForEach(row => Append(row.When, row.Figures));
        if (!_all.IsEmpty)
        {
            Append($"most of {_all.Count} looks", _all.Aggregate(Most));
        }

        return table.ToString();

        void Append(string when, ProxyFigures f) => table.AppendLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {when} | {f.ResidentBytes >> 20} MiB | {f.ManagedBytes / 1048576.0:0.0} MiB | {f.Threads} | {f.Descriptors} | {f.Slots} | {f.CopyBytes >> 10} KiB | {f.Connections} |"));
    }

    private static ProxyFigures Least(ProxyFigures a, ProxyFigures b) => Combine(Math.Min, a, b);

    private static ProxyFigures Most(ProxyFigures a, ProxyFigures b) => Combine(Math.Max, a, b);

    private static ProxyFigures Combine(Func<long, long, long> choose, ProxyFigures a, ProxyFigures b) => new(
        choose(a.ResidentBytes, b.ResidentBytes), choose(a.ManagedBytes, b.ManagedBytes), choose(a.Threads, b.Threads),
        choose(a.Descriptors, b.Descriptors), choose(a.Slots, b.Slots), choose(a.CopyBytes, b.CopyBytes), choose(a.Connections, b.Connections));
}
