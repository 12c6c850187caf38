using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TestKit.Origins;

/// <summary>
/// An origin that misbehaves below HTTP: it plays one script per connection, then ends it the way the script
/// says.
/// </summary>
public sealed class RawOrigin : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Socket, CancellationToken, Task> _script;
    private readonly Task _accepting;

    private RawOrigin(Func<Socket, CancellationToken, Task> script)
    {
        _script = script;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndPoint}");

    /// <summary>
    /// Reads a request's head, answers with <paramref name="head"/> and a body that stops short, then resets.
    /// </summary>
    public static RawOrigin ResettingAfter(string head, string body) => new(async (socket, stop) =>
    {
        await ReadHeadAsync(socket, stop);
        await socket.SendAsync(Encoding.ASCII.GetBytes(head + "\r\n\r\n" + body), stop);

        // The reset must not overtake the body: the proxy is to see bytes first, then the cut.
        await Task.Delay(TimeSpan.FromMilliseconds(150), stop);
        socket.LingerState = new LingerOption(true, 0);
    });

    /// <summary>Reads a request's head, answers whole, and closes in order.</summary>
    public static RawOrigin ClosingAfter(string head, string body) => new(async (socket, stop) =>
    {
        await ReadHeadAsync(socket, stop);
        await socket.SendAsync(Encoding.ASCII.GetBytes(head + "\r\n\r\n" + body), stop);
        socket.Shutdown(SocketShutdown.Send);
        await socket.ReceiveAsync(new byte[1], stop);
    });

    /// <summary>Accepts and never reads a byte: what it is sent fills the buffers on the way.</summary>
    public static RawOrigin NeverReading() => new((_, stop) => Task.Delay(Timeout.Infinite, stop));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                connections.Add(PlayAsync(await _listener.AcceptAsync(_stop.Token)));
            }
            catch (Exception e)
                when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                break;
            }
        }

        await Task.WhenAll(connections);
    }

    private async Task PlayAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                await _script(socket, _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // The proxy hung up first, or the test is over.
            }
        }
    }

    private static async Task ReadHeadAsync(Socket socket, CancellationToken stop)
    {
        byte[] buffer = new byte[16 * 1024];
        int count = 0;
        while (!buffer.AsSpan(0, count).EndsWith("\r\n\r\n"u8))
        {
            int received = await socket.ReceiveAsync(buffer.AsMemory(count), stop);
            if (received == 0)
            {
                return;
            }

            count += received;
        }
    }
}
