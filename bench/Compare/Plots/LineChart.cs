using System.Globalization;
using Bench.Compare.Results;
using Bench.Compare.Work;

namespace Bench.Compare.Plots;

/// <summary>Processor time per request against the number of connections, both by powers of ten.</summary>
internal static class LineChart
{
    public static void Draw(IReadOnlyList<WorkResults> steps, string path)
    {
        List<Point> points =
            [.. from step in steps from peer in step.Peers let figure = step.Figure(peer) where figure is not null select new Point(peer, Count(step), figure.Median * 1e6)];
        if (points.Count == 0)
        {
            return;
        }

        Svg svg = new(Width, Height);
        svg.Text(10, 22, "CPU per small GET, by the number of connections", size: 15);
        svg.Text(10, 42, "CPU µs/req, median of the rounds, at most 100 requests at once; less is better; both axes logarithmic", size: 12);
        double least = Math.Floor(Math.Log10(points.Min(point => point.Microseconds)));
        double most = Math.Ceiling(Math.Log10(points.Max(point => point.Microseconds)));
        DrawAxes(svg, least, most);
        double labelled = double.MaxValue;
        foreach (IGrouping<string, Point> line in points.GroupBy(point => point.Peer).OrderBy(line => line.Last().Microseconds))
        {
            Point[] of = [.. line.OrderBy(point => point.Count)];
            for (int i = 0; i < of.Length; i++)
            {
                svg.Dot(X(of[i].Count), Y(of[i].Microseconds), Palette.Of(line.Key));
                if (i > 0)
                {
                    svg.Line(X(of[i - 1].Count), Y(of[i - 1].Microseconds), X(of[i].Count), Y(of[i].Microseconds), Palette.Of(line.Key), 2);
                }
            }

            // From below upwards, each no nearer to the last than it can be read.
            labelled = Math.Min(Y(of[^1].Microseconds) + 4, labelled - 15);
            svg.Text(X(of[^1].Count) + 10, labelled, line.Key, colour: Palette.Of(line.Key));
        }

        svg.Save(path);

        double Y(double microseconds) => Bottom - ((Math.Log10(microseconds) - least) / (most - least) * (Bottom - Top));
    }

    private static void DrawAxes(Svg svg, double least, double most)
    {
        for (double power = least; power <= most; power++)
        {
            double y = Bottom - ((power - least) / (most - least) * (Bottom - Top));
            svg.Line(Left, y, Right, y, Svg.Faint);
            svg.Text(Left - 8, y + 4, Math.Pow(10, power).ToString(CultureInfo.InvariantCulture), Svg.Anchor.End, 12);
        }

        foreach (int count in ConnectionsWork.Counts)
        {
            svg.Line(X(count), Top, X(count), Bottom, Svg.Faint);
            svg.Text(X(count), Bottom + 18, FigureText.Short(count).Split('.')[0], Svg.Anchor.Middle, 12);
        }

        svg.Text((Left + Right) / 2, Bottom + 38, "connections", Svg.Anchor.Middle, 12);
    }

    private static int Count(WorkResults step) => ((ConnectionsWork)step.Work).Count;

    private static double X(double count) => Left + (Math.Log10(count) / Math.Log10(ConnectionsWork.Counts[^1]) * (Right - Left));

    private sealed record Point(string Peer, int Count, double Microseconds);

    private const double Width = 720;
    private const double Height = 420;
    private const double Left = 70;
    private const double Right = 600;
    private const double Top = 60;
    private const double Bottom = 365;
}
