using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using TestKit;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.Attacks;

/// <summary>What an attack has to work with: the proxy, its origins, and connections that are held until it is over.</summary>
public sealed class AttackScene(ProxyProcess proxy, AttackFixture origins) : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _held = [];
    private int _goodRequests;

    public ProxyProcess Proxy { get; } = proxy;

    public AttackFixture Origins { get; } = origins;

    /// <summary>The longest time a new client has waited for its answer so far; null: none has been served.</summary>
    public TimeSpan? NextServed { get; private set; }

    /// <summary>What the backend may be sent.</summary>
    public SentRequests Sent => Origins.Sent;

    /// <summary>A new client asks and gets its own answer; the time counts. Attacks that hold something call it while they do.</summary>
    public async Task ServeGoodClientAsync()
    {
        string target = $"/good/{Interlocked.Increment(ref _goodRequests)}";
        Sent.Declare($"GET {target}");
        Stopwatch watch = Stopwatch.StartNew();
        using HttpClient client = Proxy.CreateClient();
        Assert.Equal($"GET {target}", await client.GetStringAsync(target));
        NextServed = watch.Elapsed > (NextServed ?? TimeSpan.Zero) ? watch.Elapsed : NextServed;
    }

    /// <summary>A TCP connection. The caller closes it, or <see cref="Hold"/>s it.</summary>
    public async Task<Socket> ConnectAsync()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using CancellationTokenSource patience = new(Timeouts.Exchange);
        await socket.ConnectAsync(IPAddress.Loopback, Proxy.Port, patience.Token);
        return socket;
    }

    /// <summary>A TLS connection that speaks this protocol.</summary>
    public async Task<SslStream> ConnectTlsAsync(string protocol = "http/1.1", SslProtocols version = SslProtocols.None)
    {
        TlsClientStream tls = new(await ConnectAsync());
        SslClientAuthenticationOptions options = Proxy.Certificates.ClientOptions();
        options.ApplicationProtocols = [new SslApplicationProtocol(protocol)];
        options.EnabledSslProtocols = version;
        await tls.AuthenticateAsClientAsync(options).WaitAsync(Timeouts.Exchange);
        return tls;
    }

    /// <summary>Keeps it until the attack is over.</summary>
    public T Hold<T>(T connection)
        where T : IDisposable
    {
        lock (_held)
        {
            _held.Add(connection as IAsyncDisposable ?? new Holding(connection));
        }

        return connection;
    }

    /// <summary>Does the same so many times, some at once.</summary>
    public static Task RepeatAsync(int count, Func<int, Task> act) => Parallel.ForAsync(
        0, count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, _) => await act(number)).WaitAsync(Timeouts.Bulk);

    /// <summary>
    /// Sends until the proxy refuses or all is sent, then reads to the end, however it comes. Returns what was read.
    /// </summary>
    public static async Task<byte[]> SendAllAsync(Stream stream, IEnumerable<byte[]> pieces)
    {
        using CancellationTokenSource patience = new(Timeouts.Exchange);
        Task<byte[]> reading = ReadToEndAsync(stream, patience.Token);
        try
        {
            foreach (byte[] piece in pieces)
            {
                await stream.WriteAsync(piece, patience.Token);
            }

            if (stream is TlsClientStream tls)
            {
                await tls.ShutdownBesideAsync(reading);
            }
            else
            {
                ((NetworkStream)stream).Socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Refused while it was sent; OpenSSL has an exception of its own for a close_notify that comes too late.
        }

        return await reading;
    }

    /// <summary>What comes until the connection ends in whatever way; throws when it does not.</summary>
    public static async Task<byte[]> ReadToEndAsync(Stream stream, CancellationToken patience)
    {
        using MemoryStream received = new();
        byte[] buffer = new byte[16 * 1024];
        try
        {
            int count;
            while ((count = await stream.ReadAsync(buffer, patience)) > 0)
            {
                received.Write(buffer, 0, count);
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A reset, or an alert.
        }

        return received.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable held in _held)
        {
            await held.DisposeAsync();
        }

        _held.Clear();
    }

    private sealed class Holding(IDisposable held) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            held.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>How many <see cref="RepeatAsync"/> does at once.</summary>
    public const int AtOnce = 16;
}
