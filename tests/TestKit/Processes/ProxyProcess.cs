using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using TestKit.Certificates;
using TestKit.Network;

namespace TestKit.Processes;

/// <summary>The built proxy as its own process, in its own directory, on its own port.</summary>
public sealed class ProxyProcess : IAsyncDisposable
{
    private readonly RunningProgram _program;
    private readonly TemporaryDirectory _directory;
    private readonly IReadOnlyDictionary<string, int> _furtherPorts;
    private ProxyMeters? _meters;

    private ProxyProcess(
        RunningProgram program,
        TemporaryDirectory directory,
        TestCertificates certificates,
        int port,
        IReadOnlyDictionary<string, int> furtherPorts)
    {
        _program = program;
        _directory = directory;
        _furtherPorts = furtherPorts;
        Certificates = certificates;
        Port = port;
    }

    public int Port { get; }

    public TestCertificates Certificates { get; }

    public int Id => _program.Id;

    public string Output => _program.Output;

    /// <summary>Where it runs.</summary>
    public string Folder => _directory.FullPath;

    public Uri Address => new($"https://localhost:{Port}");

    /// <summary>Starts it with this configuration and waits until it accepts connections.</summary>
    public static async Task<ProxyProcess> StartAsync(ProxySettings settings)
    {
        TemporaryDirectory directory = new();
        TestCertificates certificates = new();
        int port = FreePort.Next();
        string file = directory.File("proxy.json");
        Dictionary<string, int> furtherPorts = settings.FurtherListeners.Keys.ToDictionary(name => name, _ => FreePort.Next());
        await File.WriteAllTextAsync(file, settings.ToJson(port, certificates, furtherPorts));
        string meters = directory.File("meters");
        RunningProgram program = Launch(settings, file, directory.FullPath, meters);
        ProxyProcess proxy = new(program, directory, certificates, port, furtherPorts);
        try
        {
            foreach (int awaited in furtherPorts.Values.Prepend(port))
            {
                await WaitForListenerAsync(program, awaited);
            }

            proxy._meters = settings.Metered ? await ProxyMeters.ConnectAsync(program.Id, meters, settings.DescriptorsMax ?? int.MaxValue) : null;
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same process through another of its listeners. Its end is the end of both.</summary>
    public ProxyProcess Through(string listener) => new(_program, _directory, Certificates, _furtherPorts[listener], _furtherPorts);

    /// <summary>
    /// Waits until the port accepts; throws with the program's output when the program ends first.
    /// </summary>
    public static async Task WaitForListenerAsync(RunningProgram program, int port)
    {
        using CancellationTokenSource patience = new(Timeouts.Program);
        while (true)
        {
            if (program.HasExited || patience.IsCancellationRequested)
            {
                string state = program.HasExited ? "ended" : "did not listen in time";
                throw new InvalidOperationException($"The proxy {state} (port {port}).\n{program.Output}");
            }

            try
            {
                using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25));
            }
        }
    }

    /// <summary>Whether the program is still the one that was started.</summary>
    public bool IsRunning => !_program.HasExited;

    /// <summary>What it holds at this moment; it must have been started with <see cref="ProxySettings.Metered"/>.</summary>
    /// <param name="collect">Whether garbage is collected first, so that what is left is in use.</param>
    public Task<ProxyFigures> LookAsync(bool collect = false) => Meters.ReadAsync(collect);

    /// <summary>How many of its descriptors lead to origins: YARP keeps such connections for a while after the last request.</summary>
    public Task<long> CountOriginConnectionsAsync() => Meters.CountOriginConnectionsAsync();

    /// <summary>A client that trusts this proxy's authority. HTTP/2 exactly, or HTTP/1.1 exactly.</summary>
    public HttpClient CreateClient(Version? version = null, TimeSpan? timeout = null, SslProtocols tls = SslProtocols.None)
    {
        SslClientAuthenticationOptions options = Certificates.ClientOptions();
        options.EnabledSslProtocols = tls;
        return new HttpClient(new SocketsHttpHandler { SslOptions = options, UseProxy = false })
        {
            BaseAddress = Address,
            Timeout = timeout ?? Timeouts.Exchange,
            DefaultRequestVersion = version ?? HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    /// <summary>A TLS connection with nothing sent on it yet.</summary>
    public Task<SslStream> ConnectAsync(SslProtocols versions = SslProtocols.None) =>
        ConnectAsync(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), versions);

    /// <summary>The same on a socket that the caller can misuse below TLS. It goes with the stream.</summary>
    public async Task<SslStream> ConnectAsync(Socket socket, SslProtocols versions = SslProtocols.None)
    {
        SslStream? tls = null;
        try
        {
            socket.NoDelay = true;
            using CancellationTokenSource patience = new(Timeouts.Exchange);
            await socket.ConnectAsync(IPAddress.Loopback, Port, patience.Token);
            tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            SslClientAuthenticationOptions options = Certificates.ClientOptions();
            options.EnabledSslProtocols = versions;
            await tls.AuthenticateAsClientAsync(options, patience.Token);
            return tls;
        }
        catch
        {
            socket.Dispose();
            tls?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The process's proportional set size, in bytes. The proxy is not dumpable, so only root may read that;
    /// for anybody else the resident set size, which is never smaller.
    /// </summary>
    public async Task<long> ReadMemorySizeAsync()
    {
        (string file, string name) = Environment.IsPrivilegedProcess
            ? ($"/proc/{Id}/smaps_rollup", "Pss:")
            : ($"/proc/{Id}/status", "VmRSS:");
        string[] lines = await File.ReadAllLinesAsync(file);
        string line = lines.Single(text => text.StartsWith(name, StringComparison.Ordinal));
        string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return 1024 * long.Parse(words[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Asks it to stop, as a service manager would.</summary>
    public Task TerminateAsync() => _program.TerminateAsync();

    public Task<int> WaitForExitAsync() => _program.WaitForExitAsync(Timeouts.Program);

    public async ValueTask DisposeAsync()
    {
        _meters?.Dispose();
        await _program.DisposeAsync();
        _directory.Dispose();
        Certificates.Dispose();
    }

    private ProxyMeters Meters => _meters ?? throw new InvalidOperationException("This proxy was started without meters.");

    // prlimit(1) becomes the program, so the process is the proxy's own.
    private static RunningProgram Launch(ProxySettings settings, string file, string directory, string meters)
    {
        string[] command = [RepositoryFiles.ProxyExecutable, "run", "--config", file];
        if (settings.DescriptorsMax is { } descriptors)
        {
            command = ["prlimit", $"--nofile={descriptors}:{descriptors}", "--", .. command];
        }

        Dictionary<string, string> environment = settings.Metered ? ProxyMeters.EnvironmentFor(meters) : [];
        foreach ((string name, string value) in settings.Environment)
        {
            environment[name] = value;
        }

        if (settings.HeapBytesMax is { } bytes)
        {
            environment["DOTNET_GCHeapHardLimit"] = bytes.ToString("x", CultureInfo.InvariantCulture);
        }

        return new RunningProgram(command[0], command[1..], directory, environment);
    }
}
