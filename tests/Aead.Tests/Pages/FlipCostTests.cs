using Aead.Pages;
using Xunit;

namespace Aead.Tests.Pages;

[Collection(nameof(AloneInTheProcess))]
public sealed class FlipCostTests
{
    [Fact]
    public void Every_size_is_measured_both_ways()
    {
        FlipCostReport report = FlipCost.Measure();
        Assert.Equal([4 << 10, 16 << 10, 64 << 10, 256 << 10], report.Rows.Select(row => row.Bytes));
        Assert.All(report.Rows, row => Assert.True(row.FlipNanoseconds > 0 && row.CopyNanoseconds > 0));
    }

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
        Assert.Equal(3500, Report((1000, 10, 20), (2000, 30, 40), (3000, 50, 40), (4000, 40, 50)).BreakEvenBytes);

    private static FlipCostReport Report(params (int Bytes, double Flip, double Copy)[] rows) =>
        new([.. rows.Select(row => new FlipCostRow(row.Bytes, row.Flip, row.Copy))]);
}
