using Bench.Compare.Machine;

namespace Bench.Compare.Peers;

/// <summary>HAProxy with 64 KiB buffers, as an HTTP proxy and as a relay.</summary>
internal static class Haproxy
{
    public static Peer CreateHttpPeer(PeerSetting setting) =>
        Create(setting, "haproxy", PeerKind.HttpProxy, "mode http\n  option http-keep-alive", "use_backend sink if { path_beg /upload }");

    public static Peer CreateRelayPeer(PeerSetting setting) => Create(setting, "haproxy-tcp", PeerKind.Relay, "mode tcp", "");

    private static Peer Create(PeerSetting setting, string name, PeerKind kind, string mode, string rule)
    {
        // A relay cannot speak what its origin does not.
        string protocols = kind == PeerKind.Relay ? "http/1.1" : "h2,http/1.1";
        string file = setting.Write(name + ".cfg",
            $$"""
            global
              nbthread {{setting.Workers}}
              maxconn {{setting.Connections}}
              no strict-limits
              tune.bufsize 65536
              ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
              ssl-default-bind-ciphersuites {{PeerTls.Suite}}
            defaults
              {{mode}}
              timeout connect 5s
              timeout client 300s
              timeout server 300s
              timeout http-keep-alive 300s
            frontend clients
              bind 127.0.0.1:{{LocalPort.Peer}} backlog 4096 ssl crt {{setting.Certificate.BothFile}} alpn {{protocols}}
              {{rule}}
              default_backend origin
            backend origin
              server only 127.0.0.1:{{LocalPort.Origin}}
            backend sink
              server only 127.0.0.1:{{LocalPort.Sink}}

            """);
        return new Peer(name, kind, IsDotNet: false, ["haproxy", "-db", "-f", file], new Dictionary<string, string>());
    }
}
