using System.Globalization;
using Bench.Compare.Work;

namespace Bench.Compare.Results;

/// <summary>Figures in the units people read them in.</summary>
internal static class FigureText
{
    public static string Unit(Workload work) => (work.Figure, work.Unit) switch
    {
        (Figure.Cpu, "GB") => "CPU s/GB",
        (Figure.Cpu, _) => $"CPU µs/{work.Unit}",
        (Figure.Latency99, _) => "p99 ms",
        _ => "KiB/conn",
    };

    public static double? Scale(Workload work, double? figure) => (work.Figure, work.Unit) switch
    {
        (Figure.Cpu, "GB") => figure,
        (Figure.Cpu, _) => figure * 1e6,
        (Figure.Latency99, _) => figure,
        _ => figure / 1024,
    };

    public static string? Number(Workload work, double? figure) => Scale(work, figure) is { } number ? Short(number) : null;

    /// <summary>Three digits that count, none of them in an exponent.</summary>
    public static string Short(double number) => number.ToString(
        Math.Abs(number) switch
        {
            >= 1000 => "# ##0",
            >= 100 => "0",
            >= 10 => "0.0",
            _ => "0.00",
        },
        CultureInfo.InvariantCulture);
}
