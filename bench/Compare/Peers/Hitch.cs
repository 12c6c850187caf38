using Bench.Compare.Machine;

namespace Bench.Compare.Peers;

/// <summary>hitch: terminates TLS, relays bytes, does nothing else.</summary>
internal static class Hitch
{
    public static Peer CreatePeer(PeerSetting setting)
    {
        // As root it insists on another user; it has opened the certificate by then.
        string user = Environment.IsPrivilegedProcess ? "user = \"nobody\"" : "";
        string file = setting.Write("hitch.conf",
            $$"""
            frontend = "[127.0.0.1]:{{LocalPort.Peer}}"
            backend = "[127.0.0.1]:{{LocalPort.Origin}}"
            pem-file = "{{setting.Certificate.BothFile}}"
            workers = {{setting.Workers}}
            backlog = 4096
            tls-protos = TLSv1.3
            ciphersuites = "{{PeerTls.Suite}}"
            alpn-protos = "http/1.1"
            {{user}}

            """);
        return new Peer("hitch", PeerKind.Relay, IsDotNet: false, ["hitch", $"--config={file}"], new Dictionary<string, string>());
    }
}
