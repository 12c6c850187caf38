namespace Bench.Compare.Results;

/// <summary>The rounds of one number.</summary>
internal sealed record Spread(double Median, double Min, double Max)
{
    /// <returns>Null when there is none.</returns>
    public static Spread? Of(IEnumerable<double?> values)
    {
        double[] sorted = [.. values.OfType<double>().Order()];
        int middle = sorted.Length / 2;
        return sorted.Length == 0
            ? null
            : new Spread(sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[0], sorted[^1]);
    }
}
