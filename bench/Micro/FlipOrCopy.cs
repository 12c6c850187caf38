using System.Globalization;
using Aead.Pages;

namespace Bench.Micro;

/// <summary>Flip or copy, by batch size and number of threads, and the batch size from which a flip pays: a table, and a picture.</summary>
internal static class FlipOrCopy
{
    /// <param name="picture">Where to draw it; null for no picture.</param>
    public static void Report(string? picture)
    {
        FlipCurve[] curves = [.. ThreadCounts.Select(Measure)];
        Console.WriteLine("| Threads | Batch | Flip µs | Copy µs |");
        Console.WriteLine("|---|---|---|---|");
        foreach (FlipCurve curve in curves)
        {
            foreach (FlipCostRow row in curve.Rows)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {curve.Threads} | {row.Bytes >> 10} KiB | {row.FlipNanoseconds / 1000:F1} | {row.CopyNanoseconds / 1000:F1} |"));
            }
        }

        Console.WriteLine();
        foreach (FlipCurve curve in curves)
        {
            Console.WriteLine($"{curve.Name}: n* is {curve.BreakEven}");
        }

        if (picture is not null)
        {
            FlipChart.Draw(curves, picture);
        }
    }

    // The median of several measurements, row by row: what else runs on the machine comes and goes in seconds.
    private static FlipCurve Measure(int threads)
    {
        FlipCostReport[] reports = [.. Enumerable.Range(0, Measurements).Select(_ => FlipCost.Measure(threads))];
        FlipCostRow[] rows = [.. Enumerable.Range(0, reports[0].Rows.Count).Select(i => new FlipCostRow(
            reports[0].Rows[i].Bytes,
            Median(reports.Select(report => report.Rows[i].FlipNanoseconds)),
            Median(reports.Select(report => report.Rows[i].CopyNanoseconds))))];
        return new FlipCurve(threads, rows);
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Measurements / 2);

    private static int[] ThreadCounts => [1, 2, 4];

    private const int Measurements = 5;
}

/// <summary>What one number of threads costs.</summary>
internal sealed record FlipCurve(int Threads, IReadOnlyList<FlipCostRow> Rows)
{
    public string Name => Threads == 1 ? "1 thread" : $"{Threads} threads";

    /// <summary>n*, in words.</summary>
    public string BreakEven => new FlipCostReport(Rows).BreakEvenBytes is { } bytes
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:F0} KiB")
        : "never";
}
