using Bench.Compare.Machine;

namespace Bench.Compare.Peers;

/// <summary>
/// nginx, as the origin and as a peer. The peer's buffers are large: with the built-in ones (8 of 4 or 8 KiB) it
/// needs about half as much processor time again for large bodies, which would flatter everybody else.
/// </summary>
internal static class Nginx
{
    public static Peer CreatePeer(PeerSetting setting)
    {
        string configuration = WriteConfiguration(setting.Folder, "nginx", setting.Workers, 2 * setting.Connections,
            $$"""
            sendfile on;
            upstream origin { server 127.0.0.1:{{LocalPort.Origin}}; keepalive {{IdleUpstreams(setting)}}; }
            upstream sink { server 127.0.0.1:{{LocalPort.Sink}}; keepalive 64; }
            server {
                listen 127.0.0.1:{{LocalPort.Peer}} ssl http2 backlog=4096;
                ssl_certificate {{setting.Certificate.CertificateFile}};
                ssl_certificate_key {{setting.Certificate.KeyFile}};
                ssl_protocols TLSv1.3;
                ssl_conf_command Ciphersuites {{PeerTls.Suite}};
                ssl_session_tickets off;
                ssl_session_cache off;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_buffering on;
                proxy_max_temp_file_size 0;
                proxy_buffer_size 64k;
                proxy_buffers 16 64k;
                proxy_busy_buffers_size 192k;
                client_body_buffer_size 256k;
                proxy_request_buffering off;
                location /upload { proxy_pass http://sink; }
                location / { proxy_pass http://origin; }
            }
            """);
        return new Peer("nginx", PeerKind.HttpProxy, IsDotNet: false, Command(configuration), new Dictionary<string, string>());
    }

    public static IReadOnlyList<string> Command(string configuration) => ["nginx", "-e", "stderr", "-c", configuration];

    /// <summary>Writes one whole configuration around what stands in its http block.</summary>
    public static string WriteConfiguration(string folder, string name, int workers, int connections, string http)
    {
        string file = Path.Combine(folder, name + ".conf");
        File.WriteAllText(file,
            $$"""
            daemon off;
            worker_processes {{workers}};
            pid {{folder}}/{{name}}.pid;
            error_log stderr;
            events { worker_connections {{connections}}; }
            http {
                access_log off;
                keepalive_requests 100000000;
                keepalive_timeout 300s;
                client_max_body_size 0;
                client_body_temp_path {{folder}}/{{name}}-body;
                proxy_temp_path {{folder}}/{{name}}-proxy;
                fastcgi_temp_path {{folder}}/{{name}}-fastcgi;
                uwsgi_temp_path {{folder}}/{{name}}-uwsgi;
                scgi_temp_path {{folder}}/{{name}}-scgi;
                {{http}}
            }
            """);
        return file;
    }

    // Fewer than there are requests at once, and it would connect anew for each of the rest.
    private static int IdleUpstreams(PeerSetting setting) => setting.Connections / setting.Workers;
}
