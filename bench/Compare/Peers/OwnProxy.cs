using System.Text.Json;
using Bench.Compare.Machine;

namespace Bench.Compare.Peers;

/// <summary>This project's proxy, and further copies of it with other settings.</summary>
internal static class OwnProxy
{
    /// <param name="setting">What all peers are given.</param>
    /// <param name="name">Of this copy.</param>
    /// <param name="published">The folder below the published programs that holds it.</param>
    /// <param name="variables">
    /// Environment variables of its process; one like TlsProxy__Pages__Delivery overrides the configuration.
    /// </param>
    public static Peer CreatePeer(PeerSetting setting, string name, string published, IReadOnlyDictionary<string, string> variables)
    {
        string file = setting.Write(name + ".json", Configuration(setting));
        string program = Path.Combine(setting.Published, published, "TlsProxy");
        return new Peer(name, PeerKind.HttpProxy, IsDotNet: true, [program, "run", "--config", file], variables);
    }

    private static string Configuration(PeerSetting setting) => JsonSerializer.Serialize(new
    {
        Logging = new { LogLevel = new { Default = "None", Microsoft = "None", Yarp = "None" } },
        TlsProxy = new
        {
            Listeners = new
            {
                https = new
                {
                    Address = $"127.0.0.1:{LocalPort.Peer}",
                    Certificates = new[]
                    {
                        new { Certificate = setting.Certificate.CertificateFile, Key = setting.Certificate.KeyFile },
                    },
                    MinimumTls = "1.3",
                    CipherSuites = new[] { PeerTls.Suite },
                },
            },
        },
        ReverseProxy = new
        {
            Routes = new
            {
                upload = new { ClusterId = "sink", Match = new { Path = "/upload" } },
                all = new { ClusterId = "origin", Match = new { Path = "{**any}" } },
            },
            Clusters = new { origin = Cluster(LocalPort.Origin), sink = Cluster(LocalPort.Sink) },
        },
    });

    private static object Cluster(int port) => new { Destinations = new { only = new { Address = $"http://127.0.0.1:{port}/" } } };
}
