namespace Bench.Compare.Plots;

/// <summary>One colour per peer, in every picture the same; told apart by colour-blind readers too (Okabe and Ito).</summary>
internal static class Palette
{
    public static string Of(string peer) => Known.TryGetValue(peer, out string? colour) ? colour : "#009e73";

    private static readonly Dictionary<string, string> Known = new()
    {
        ["ours"] = "#d55e00",
        ["ours-flip"] = "#e69f00",
        ["ours-unguarded"] = "#cc79a7",
        ["stock"] = "#0072b2",
        ["nginx"] = "#555555",
        ["haproxy"] = "#56b4e9",
        ["haproxy-tcp"] = "#999999",
        ["hitch"] = "#b8a600",
    };
}
