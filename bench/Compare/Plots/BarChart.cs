using Bench.Compare.Results;

namespace Bench.Compare.Plots;

/// <summary>One bar per peer: the median, with a whisker from the least to the most of the rounds.</summary>
internal static class BarChart
{
    public static void Draw(WorkResults results, string path)
    {
        List<(string Peer, Spread Figure)> bars =
            [.. from peer in results.Peers let figure = results.Figure(peer) where figure is not null select (peer, figure)];
        if (bars.Count == 0)
        {
            return;
        }

        Svg svg = new(Width, Top + (bars.Count * Row) + 10);
        svg.Text(10, 22, $"{results.Work.Name}: {results.Work.Title}", size: 15);
        svg.Text(10, 42, $"{FigureText.Unit(results.Work)}, median and range of the rounds; less is better", size: 12);
        double scale = (Right - Left) / bars.Max(bar => bar.Figure.Max);
        for (int i = 0; i < bars.Count; i++)
        {
            (string peer, Spread figure) = bars[i];
            double middle = Top + ((i + 0.5) * Row);
            svg.Text(Left - 8, middle + 4, peer, Svg.Anchor.End);
            svg.Rectangle(Left, middle - 9, Math.Max(0, figure.Median * scale), 18, Palette.Of(peer));
            svg.Line(Left + (figure.Min * scale), middle, Left + (figure.Max * scale), middle, Svg.Ink, 1.5);
            svg.Text(Left + (figure.Max * scale) + 8, middle + 4, FigureText.Number(results.Work, figure.Median)!);
        }

        svg.Save(path);
    }

    private const double Width = 720;
    private const double Left = 130;
    private const double Right = 640;
    private const double Top = 56;
    private const double Row = 28;
}
