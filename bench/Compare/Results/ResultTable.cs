using System.Globalization;
using System.Text;
using Bench.Compare.Peers;

namespace Bench.Compare.Results;

/// <summary>Markdown: one table per workload, medians over the rounds.</summary>
internal static class ResultTable
{
    public static string Write(ResultFile file)
    {
        StringBuilder text = new();
        text.AppendLine(
            $"{file.Machine.Date}, {file.Machine.Processors} x {file.Machine.Processor}, Linux {file.Machine.Kernel}; {file.Tls}");
        text.AppendLine();
        text.AppendLine(string.Join("; ", file.Machine.Programs));
        foreach (WorkResults results in WorkResults.Group(file.Rows))
        {
            text.AppendLine();
            text.AppendLine($"### {results.Work.Name}: {results.Work.Title}");
            text.AppendLine();
            Write(text, results);
            foreach (Measurement row in results.Invalid)
            {
                text.AppendLine();
                text.AppendLine(CultureInfo.InvariantCulture, $"INVALID: round {row.Round + 1}, {row.Peer}: {row.Error}");
            }
        }

        return text.ToString();
    }

    private static void Write(StringBuilder text, WorkResults results)
    {
        List<Column> columns = [.. Columns(results).Where(column => results.Peers.Any(peer => column.Cell(peer) is not null))];
        if (columns.Count == 0)
        {
            return;
        }

        text.AppendLine($"| peer | {string.Join(" | ", columns.Select(column => column.Head))} |");
        text.AppendLine($"|---|{string.Concat(columns.Select(_ => "---:|"))}");
        foreach (string peer in results.Peers)
        {
            text.AppendLine($"| {peer} | {string.Join(" | ", columns.Select(column => column.Cell(peer) ?? "-"))} |");
        }
    }

    private static IEnumerable<Column> Columns(WorkResults results)
    {
        string unit = results.Work.Unit;
        yield return new Column(FigureText.Unit(results.Work), peer => FigureText.Number(results.Work, results.Figure(peer)?.Median));
        if (results.Work.Figure != Figure.ConnectionBytes)
        {
            yield return Median($"{unit}/s", row => row.Rate);
        }

        yield return Median("p50 ms", row => row.Latency?.P50);
        if (results.Work.Figure != Figure.Latency99)
        {
            yield return Median("p99 ms", row => row.Latency?.P99);
        }

        yield return Median("p99.9 ms", row => row.Latency?.P999);
        yield return Median("GB beside", row => row.BesideGigabytes);
        yield return Median("PSS MiB", row => row.PssBytes / 1048576.0);
        yield return new Column("ours/peer", peer => peer == Peer.Ours ? null : Ratio(results.OursTo(peer)));

        Column Median(string head, Func<Measurement, double?> number) =>
            new(head, peer => results.Of(peer, number) is { } spread ? FigureText.Short(spread.Median) : null);
    }

    private static string? Ratio(Spread? spread) => spread is null
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"{spread.Median:F2} [{spread.Min:F2}–{spread.Max:F2}]");

    private sealed record Column(string Head, Func<string, string?> Cell);
}
