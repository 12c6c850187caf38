using TestKit.Network;
using TestKit.Processes;

namespace TestKit.Origins;

/// <summary>
/// A real nginx serving files of <see cref="PatternBody"/>, each named by its length: /16384.
/// </summary>
public sealed class NginxOrigin : IAsyncDisposable
{
    private readonly Func<RunningProgram> _start;
    private RunningProgram _program;
    private readonly TemporaryDirectory _directory;

    private NginxOrigin(Func<RunningProgram> start, TemporaryDirectory directory, int port)
    {
        _start = start;
        _program = start();
        _directory = directory;
        Address = new Uri($"http://127.0.0.1:{port}");
    }

    public Uri Address { get; }

    /// <summary>
    /// Starts with one file per length. /throttled/N is N at 256 KiB/s; /chunked/N has no Content-Length.
    /// </summary>
    public static async Task<NginxOrigin> StartAsync(params long[] lengths)
    {
        TemporaryDirectory directory = new();
        int port = FreePort.Next();
        foreach (long length in lengths)
        {
            await using FileStream file = File.Create(Path.Combine(directory.FullPath, $"{length}"));
            await PatternBody.WriteToAsync(file, length, CancellationToken.None);
        }

        // Started as root, nginx drops to another user, which must still be able to read the files.
        File.SetUnixFileMode(directory.FullPath, WorldReadable);
        string configuration = directory.File("nginx.conf");
        await File.WriteAllTextAsync(configuration, Configuration(directory.FullPath, port));
        string[] arguments = ["-p", directory.FullPath, "-c", configuration, "-e", "stderr"];
        NginxOrigin origin = new(() => new RunningProgram(FindExecutable(), arguments, directory.FullPath), directory, port);
        await origin.WaitUntilReadyAsync();
        return origin;
    }

    /// <summary>The path of the file of this length, for uploads.</summary>
    public string PatternFile(long length) => _directory.File($"{length}");

    /// <summary>SIGKILL: the kernel closes its connections, with whatever they had left to send.</summary>
    public Task KillAsync() => _program.KillAsync();

    /// <summary>Starts it again, on the same port, after <see cref="KillAsync"/>.</summary>
    public async Task RestartAsync()
    {
        await _program.DisposeAsync();
        _program = _start();
        await WaitUntilReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _program.DisposeAsync();
        _directory.Dispose();
    }

    private async Task WaitUntilReadyAsync()
    {
        using HttpClient client = new();
        using CancellationTokenSource patience = new(Timeouts.Program);
        while (true)
        {
            try
            {
                using HttpResponseMessage response = await client.GetAsync(Address, patience.Token);
                return;
            }
            catch (HttpRequestException) when (!_program.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), patience.Token);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"nginx does not answer.\n{_program.Output}", e);
            }
        }
    }

    // One process, so that a kill takes everything with it. "if_modified_since off" and the absent etag keep
    // responses equal.
    private static string Configuration(string root, int port) =>
        $$"""
        daemon off;
        master_process off;
        pid {{root}}/nginx.pid;
        error_log stderr;
        events { worker_connections 4096; }
        http {
            access_log off;
            sendfile on;
            etag off;
            default_type application/octet-stream;
            keepalive_requests 1000000;
            client_body_temp_path {{root}}/body;
            proxy_temp_path {{root}}/proxy;
            fastcgi_temp_path {{root}}/fastcgi;
            uwsgi_temp_path {{root}}/uwsgi;
            scgi_temp_path {{root}}/scgi;
            server {
                listen 127.0.0.1:{{port}} backlog=1024;
                root {{root}};
                location = / { return 200 "hello\n"; }
                location /throttled/ { alias {{root}}/; limit_rate 256k; }
                location /chunked/ {
                    proxy_http_version 1.1;
                    proxy_pass http://127.0.0.1:{{port}}/;
                    proxy_hide_header Content-Length;
                }
            }
        }
        """;

    private static string FindExecutable() =>
        new[] { "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx" }.FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("nginx is missing. Remedy: apt-get install nginx-light.");

    private const UnixFileMode WorldReadable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
}
