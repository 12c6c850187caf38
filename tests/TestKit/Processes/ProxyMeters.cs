using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace TestKit.Processes;

/// <summary>What a proxy holds at one moment.</summary>
/// <param name="ResidentBytes">Its resident set.</param>
/// <param name="ManagedBytes">Its garbage-collected heap.</param>
/// <param name="Threads">Its threads.</param>
/// <param name="Descriptors">Its descriptors, other than files.</param>
/// <param name="Slots">Guarded slots in use: one per decrypting thread, and those exposed.</param>
/// <param name="CopyBytes">Verified copies that nobody has consumed.</param>
/// <param name="Connections">Established connections with clients.</param>
public sealed record ProxyFigures(
    long ResidentBytes, long ManagedBytes, long Threads, long Descriptors, long Slots, long CopyBytes, long Connections);

/// <summary>The test's end of <see cref="StartupHook"/>.</summary>
internal sealed class ProxyMeters : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Socket _socket;
    private readonly StreamReader _answers;
    private readonly int _process;
    private readonly int _descriptorsMax;

    private ProxyMeters(int process, Socket socket, int descriptorsMax)
    {
        _process = process;
        _descriptorsMax = descriptorsMax;
        _socket = socket;
        _answers = new StreamReader(new NetworkStream(socket), Encoding.ASCII);
    }

    /// <summary>What a program must be started with to be asked at this path.</summary>
    public static Dictionary<string, string> EnvironmentFor(string path) => new()
    {
        ["DOTNET_STARTUP_HOOKS"] = typeof(ProxyMeters).Assembly.Location,
        [SocketVariable] = path,
    };

    /// <summary>Connects to a program that listens for clients already.</summary>
    /// <param name="process">Its id.</param>
    /// <param name="path">The path.</param>
    /// <param name="descriptorsMax">How many descriptors it has when it has none left.</param>
    public static async Task<ProxyMeters> ConnectAsync(int process, string path, int descriptorsMax)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        return new ProxyMeters(process, socket, descriptorsMax);
    }

    public async Task<ProxyFigures> ReadAsync(bool collect)
    {
        string line = await AskAsync(collect ? CollectOrder : LookOrder);
        Dictionary<string, long> figures = line.Split(' ').Select(figure => figure.Split('=')).ToDictionary(
            figure => figure[0], figure => long.Parse(figure[1], CultureInfo.InvariantCulture));
        string[] status = await File.ReadAllLinesAsync($"/proc/{_process}/status");
        return new ProxyFigures(
            1024 * NumberIn(status, "VmRSS:"), figures[Managed], NumberIn(status, "Threads:"), Math.Min(figures[Descriptors], _descriptorsMax),
            figures["tlsproxy.pages.slots"], figures["tlsproxy.pages.copies"], figures["tlsproxy.connections.open"]);
    }

    public async Task<long> CountOriginConnectionsAsync() => long.Parse(await AskAsync(OriginsOrder), CultureInfo.InvariantCulture);

    public void Dispose()
    {
        _answers.Dispose();
        _socket.Dispose();
        _turn.Dispose();
    }

    private async Task<string> AskAsync(byte order)
    {
        await _turn.WaitAsync();
        try
        {
            await _socket.SendAsync(new[] { order });
            return await _answers.ReadLineAsync().WaitAsync(Timeouts.Exchange) ?? throw new EndOfStreamException("The proxy is gone.");
        }
        finally
        {
            _turn.Release();
        }
    }

    private static long NumberIn(string[] lines, string name)
    {
        string line = lines.Single(text => text.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    internal const string SocketVariable = "TLSPROXY_TEST_METERS";
    internal const string Managed = "managed";
    internal const string Descriptors = "descriptors";
    internal const byte LookOrder = (byte)'l';
    internal const byte CollectOrder = (byte)'c';
    internal const byte OriginsOrder = (byte)'o';

    /// <summary>The number told where there is none left to count with.</summary>
    internal const long AllDescriptors = long.MaxValue;
}
