namespace Bench.Compare.Peers;

/// <summary>A further copy of our proxy that the command line asks for.</summary>
/// <param name="Name">Of the copy.</param>
/// <param name="Variables">Environment variables of its process.</param>
internal sealed record Variant(string Name, IReadOnlyDictionary<string, string> Variables);

/// <summary>Every peer there is.</summary>
internal static class PeerCatalogue
{
    public const string Flip = "ours-flip";
    public const string Unguarded = "ours-unguarded";

    /// <summary>Who takes part when nobody is named.</summary>
    public static readonly string[] Usual = ["nginx", "haproxy", "haproxy-tcp", "hitch", "stock", Peer.Ours];

    /// <summary>The two that show the price of the guarantee.</summary>
    public static readonly string[] OnRequest = [Flip, Unguarded];

    public static List<Peer> Create(PeerSetting setting, IReadOnlyCollection<string> chosen, IReadOnlyList<Variant> variants)
    {
        List<Peer> all =
        [
            Nginx.CreatePeer(setting),
            Haproxy.CreateHttpPeer(setting),
            Haproxy.CreateRelayPeer(setting),
            Hitch.CreatePeer(setting),
            StockProxy.CreatePeer(setting),
            OwnProxy.CreatePeer(setting, Peer.Ours, "proxy", new Dictionary<string, string>()),
            OwnProxy.CreatePeer(setting, Flip, "proxy", new Dictionary<string, string> { ["TlsProxy__Pages__Delivery"] = "Flip" }),
            OwnProxy.CreatePeer(setting, Unguarded, "unguarded", new Dictionary<string, string>()),
        ];
        List<Peer> peers = all.FindAll(peer => chosen.Contains(peer.Name));
        peers.AddRange(variants.Select(variant => OwnProxy.CreatePeer(setting, variant.Name, "proxy", variant.Variables)));
        return peers;
    }
}
