using Bench.Compare.Machine;

namespace Bench.Compare.Peers;

/// <summary>bench/StockProxy: what a .NET user would write instead.</summary>
internal static class StockProxy
{
    public static Peer CreatePeer(PeerSetting setting) => new(
        "stock",
        PeerKind.HttpProxy,
        IsDotNet: true,
        [
            Path.Combine(setting.Published, "stock", "StockProxy"),
            $"{LocalPort.Peer}",
            setting.Certificate.CertificateFile,
            setting.Certificate.KeyFile,
            $"http://127.0.0.1:{LocalPort.Origin}/",
            $"http://127.0.0.1:{LocalPort.Sink}/",
        ],
        new Dictionary<string, string>());
}
