using System.Diagnostics;
using Aead.Pages;
using Xunit;

namespace Aead.Tests.Pages;

[Collection(nameof(AloneInTheProcess))]
public sealed class FlipCostTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_size_is_measured_both_ways(int threads)
    {
        Stopwatch watch = Stopwatch.StartNew();
        FlipCostReport report = FlipCost.Measure(threads);
        Assert.True(watch.Elapsed > TimeSpan.FromMilliseconds(800), $"Measured in {watch.Elapsed}: too short to mean anything.");
        Assert.Equal([4 << 10, 16 << 10, 64 << 10, 256 << 10], report.Rows.Select(row => row.Bytes));

        // A flip is microseconds, a copy no less than a pass over memory; a preempted round is not the median.
        Assert.All(report.Rows, row => Assert.InRange(row.FlipNanoseconds, 100, 20e6));
        Assert.All(report.Rows, row => Assert.InRange(row.CopyNanoseconds, row.Bytes / 1000.0, 20e6));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    public void Fewer_threads_than_one_and_more_than_slots_are_refused(int threads) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FlipCost.Measure(threads));

    [Fact]
    public void The_break_even_is_where_the_lines_cross()
    {
        Assert.Equal(1500, Report((1000, 30, 20), (2000, 30, 40)).BreakEvenBytes);
        Assert.Equal(1250, Report((1000, 21, 20), (2000, 30, 33)).BreakEvenBytes);
    }

    [Fact]
    public void A_flip_that_never_pays_has_no_break_even() =>
        Assert.Null(Report((1000, 30, 20), (2000, 40, 40)).BreakEvenBytes);

    [Fact]
    public void A_flip_that_always_pays_breaks_even_at_the_smallest_size() =>
        Assert.Equal(1000, Report((1000, 10, 20), (2000, 30, 40)).BreakEvenBytes);

    [Fact]
    public void Only_the_sizes_from_which_it_pays_for_good_count() =>
        Assert.Equal(3500, Report((1000, 10, 20), (3000, 50, 40), (4000, 40, 50)).BreakEvenBytes);

    private static FlipCostReport Report(params (int Bytes, double Flip, double Copy)[] rows) =>
        new([.. rows.Select(row => new FlipCostRow(row.Bytes, row.Flip, row.Copy))]);
}
