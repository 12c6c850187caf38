using System.Globalization;
using System.Net;
using System.Text;

namespace Bench.Compare.Plots;

/// <summary>A picture in the making: the few shapes a chart needs, on white, so that it reads on a dark page as well.</summary>
internal sealed class Svg(double width, double height)
{
    private readonly StringBuilder _shapes = new();

    /// <summary>Where text is anchored.</summary>
    public enum Anchor
    {
        Start,
        Middle,
        End,
    }

    public void Rectangle(double x, double y, double w, double h, string colour) =>
        Add($"<rect x=\"{x:F1}\" y=\"{y:F1}\" width=\"{w:F1}\" height=\"{h:F1}\" fill=\"{colour}\"/>");

    public void Line(double x1, double y1, double x2, double y2, string colour, double thickness = 1) =>
        Add($"<line x1=\"{x1:F1}\" y1=\"{y1:F1}\" x2=\"{x2:F1}\" y2=\"{y2:F1}\" stroke=\"{colour}\" stroke-width=\"{thickness}\"/>");

    public void Dot(double x, double y, string colour) => Add($"<circle cx=\"{x:F1}\" cy=\"{y:F1}\" r=\"3\" fill=\"{colour}\"/>");

    public void Text(double x, double y, string text, Anchor anchor = Anchor.Start, int size = 13, string colour = Ink) =>
        Add($"<text x=\"{x:F1}\" y=\"{y:F1}\" font-size=\"{size}\" fill=\"{colour}\" text-anchor=\"{Name(anchor)}\">{WebUtility.HtmlEncode(text)}</text>");

    public void Save(string path) => File.WriteAllText(path, string.Create(CultureInfo.InvariantCulture,
        $"""
        <svg xmlns="http://www.w3.org/2000/svg" width="{width:F0}" height="{height:F0}" viewBox="0 0 {width:F0} {height:F0}" font-family="sans-serif">
        <rect width="100%" height="100%" fill="white"/>
        {_shapes}</svg>

        """));

    private void Add(FormattableString shape) => _shapes.AppendLine(FormattableString.Invariant(shape));

    private static string Name(Anchor anchor) => anchor switch
    {
        Anchor.Start => "start",
        Anchor.Middle => "middle",
        _ => "end",
    };

    public const string Ink = "#222222";
    public const string Faint = "#dddddd";
}
