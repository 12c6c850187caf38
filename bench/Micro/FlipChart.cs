using System.Globalization;
using Aead.Pages;
using Bench.Compare.Plots;

namespace Bench.Micro;

/// <summary>Microseconds against the size of the batch, both logarithmic: solid dots flip, the lines beneath them copy.</summary>
internal static class FlipChart
{
    public static void Draw(IReadOnlyList<FlipCurve> curves, string path)
    {
        Svg svg = new(Width, Height);
        svg.Text(10, 22, "Flip or copy, by batch size and threads at the same work", size: 15);
        svg.Text(10, 42, "µs per batch, median; less is better; both axes logarithmic", size: 12);
        DrawAxes(svg);
        List<(double Y, string Name, string Colour)> labels = [];
        foreach ((FlipCurve curve, string colour) in curves.Zip(Colours))
        {
            DrawLine(svg, curve, row => row.FlipNanoseconds, colour, thickness: 2.5);
            DrawLine(svg, curve, row => row.CopyNanoseconds, colour, thickness: 1);
            labels.Add((Y(curve.Rows[^1].FlipNanoseconds), $"flip, {curve.Name}: n* {curve.BreakEven}", colour));
            labels.Add((Y(curve.Rows[^1].CopyNanoseconds), $"copy, {curve.Name}", colour));
        }

        // From above downwards, each no nearer to the last than it can be read.
        double labelled = double.MinValue;
        foreach ((double y, string name, string colour) in labels.OrderBy(label => label.Y))
        {
            labelled = Math.Max(y + 4, labelled + 15);
            svg.Text(Right + 10, labelled, name, colour: colour, size: 12);
        }

        svg.Save(path);
    }

    private static void DrawLine(Svg svg, FlipCurve curve, Func<FlipCostRow, double> nanoseconds, string colour, double thickness)
    {
        foreach (FlipCostRow row in curve.Rows)
        {
            svg.Dot(X(row.Bytes), Y(nanoseconds(row)), colour);
        }

        foreach ((FlipCostRow from, FlipCostRow to) in curve.Rows.Zip(curve.Rows.Skip(1)))
        {
            svg.Line(X(from.Bytes), Y(nanoseconds(from)), X(to.Bytes), Y(nanoseconds(to)), colour, thickness);
        }
    }

    private static void DrawAxes(Svg svg)
    {
        foreach (double microseconds in (double[])[LeastMicroseconds, 1, 10, MostMicroseconds])
        {
            double y = Y(microseconds * 1000);
            svg.Line(Left, y, Right, y, Svg.Faint);
            svg.Text(Left - 8, y + 4, microseconds.ToString(CultureInfo.InvariantCulture), Svg.Anchor.End, 12);
        }

        for (int bytes = LeastBytes; bytes <= MostBytes; bytes *= 4)
        {
            svg.Line(X(bytes), Top, X(bytes), Bottom, Svg.Faint);
            svg.Text(X(bytes), Bottom + 18, $"{bytes >> 10} KiB", Svg.Anchor.Middle, 12);
        }
    }

    private static double X(int bytes) => Left + Share(bytes, LeastBytes, MostBytes) * (Right - Left);

    private static double Y(double nanoseconds) =>
        Bottom - Math.Clamp(Share(nanoseconds / 1000, LeastMicroseconds, MostMicroseconds), 0, 1) * (Bottom - Top);

    private static double Share(double value, double least, double most) => Math.Log(value / least) / Math.Log(most / least);

    // Told apart by colour-blind readers too (Okabe and Ito).
    private static string[] Colours => ["#0072b2", "#d55e00", "#009e73"];

    private const int LeastBytes = 4 << 10;
    private const int MostBytes = 256 << 10;
    private const double LeastMicroseconds = 0.1;
    private const double MostMicroseconds = 100;
    private const double Width = 760;
    private const double Height = 420;
    private const double Left = 60;
    private const double Right = 540;
    private const double Top = 60;
    private const double Bottom = 380;
}
