using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace TestKit.Origins;

/// <summary>One request as a backend would act on it.</summary>
/// <param name="Line">Method and target.</param>
/// <param name="Fields">The field lines that are not the proxy's own, each with CR LF, as they came.</param>
/// <param name="Body">Its body, decoded.</param>
/// <param name="IsComplete">Whether it ended where its framing says it ends.</param>
public sealed record RecordedRequest(string Line, string Fields, string Body, bool IsComplete);

/// <summary>
/// An origin that keeps every request it is sent and forgives nothing: whatever two parsers could understand differently (RFC 9112, section
/// 11.2) is a violation, and so is whatever the proxy itself writes and gets wrong. It answers with the target, so that a client sees whether an
/// answer is its own.
/// </summary>
public sealed partial class RecordingOrigin : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly Task _accepting;
    private int _open;

    public RecordingOrigin()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(4096);
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndPoint}");

    /// <summary>What could be understood in two ways, or is not what the proxy has to write, since the last call.</summary>
    public IReadOnlyList<string> TakeViolations() => Take(_violations);

    /// <summary>The requests since the last call.</summary>
    public IReadOnlyList<RecordedRequest> TakeRequests() => Take(_requests);

    /// <summary>Waits until nobody is connected: after that there is nothing more to come of what a program sent that is gone.</summary>
    public async Task UntilAloneAsync()
    {
        using CancellationTokenSource patience = new(Timeouts.Program);
        while (Volatile.Read(ref _open) > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private static List<T> Take<T>(ConcurrentQueue<T> queue)
    {
        List<T> taken = [];
        while (queue.TryDequeue(out T? next))
        {
            taken.Add(next);
        }

        return taken;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptAsync(_stop.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        Interlocked.Increment(ref _open);
        using NetworkStream stream = new(socket, ownsSocket: true);
        using BufferedStream buffered = new(stream);
        Connection connection = new(buffered, new StringBuilder());
        try
        {
            while (await ReadHeadAsync(connection) is { } head)
            {
                await AnswerAsync(connection, head);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Cut off; what had begun is recorded as incomplete.
        }
        catch (Exception e)
        {
            Check(false, e.ToString(), connection);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task AnswerAsync(Connection connection, string head)
    {
        string[] lines = head.Split("\r\n");
        Check(RequestLine().IsMatch(lines[0]), "request line", connection);
        Check(lines[1..].All(line => Field().IsMatch(line)), "field", connection);
        string[] lengths = ValuesOf(lines, "content-length");
        string[] codings = ValuesOf(lines, "transfer-encoding");
        Check(lengths.Length + codings.Length <= 1, "two framings", connection);
        Check(codings.All(coding => coding == "chunked"), "transfer coding", connection);
        Check(lengths.All(length => length.All(char.IsAsciiDigit)), "length", connection);
        CheckOwnFields(lines, connection);
        string fields = ForeignIn(lines[1..]);
        string line = WithoutVersion(lines[0]);
        StringBuilder body = new();
        try
        {
            if (codings.Length > 0)
            {
                await ReadChunksAsync(connection, body);
            }
            else if (lengths.Length > 0)
            {
                await ReadExactlyAsync(connection, body, int.Parse(lengths[0], CultureInfo.InvariantCulture));
            }
        }
        catch
        {
            _requests.Enqueue(new RecordedRequest(line, fields, body.ToString(), IsComplete: false));
            throw;
        }

        _requests.Enqueue(new RecordedRequest(line, fields, body.ToString(), IsComplete: true));
        string answer = line.StartsWith("HEAD ", StringComparison.Ordinal) ? "" : line;
        await connection.Stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {line.Length}\r\n\r\n{answer}"), _stop.Token);
        await connection.Stream.FlushAsync(_stop.Token);
    }

    private async Task ReadChunksAsync(Connection connection, StringBuilder body)
    {
        int length;
        do
        {
            string size = await ReadLineAsync(connection);
            Check(ChunkSize().IsMatch(size), "chunk size", connection);
            length = int.Parse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            await ReadExactlyAsync(connection, body, length);
            string end = await ReadLineAsync(connection);
            Check(end.Length == 0, "end of chunk", connection);
        }
        while (length > 0);
    }

    private async Task ReadExactlyAsync(Connection connection, StringBuilder body, int length)
    {
        byte[] buffer = new byte[4096];
        while (length > 0)
        {
            int count = await connection.Stream.ReadAsync(buffer.AsMemory(0, Math.Min(length, buffer.Length)), _stop.Token);
            if (count == 0)
            {
                throw new EndOfStreamException();
            }

            string read = Encoding.Latin1.GetString(buffer, 0, count);
            body.Append(read);
            connection.Received.Append(read);
            length -= count;
        }
    }

    // Null where the connection ends between two requests. A head that is cut off is nothing that a backend acts on, but has to be genuine too.
    private async Task<string?> ReadHeadAsync(Connection connection)
    {
        StringBuilder head = new();
        string line;
        do
        {
            int before = connection.Received.Length;
            try
            {
                line = await ReadLineAsync(connection);
            }
            catch (Exception e) when (e is IOException && connection.Received.Length - before + head.Length > 0)
            {
                string[] lines = head.Append(connection.Received.ToString(before, connection.Received.Length - before)).ToString().Split("\r\n");
                string begun = lines.Length > 1 ? WithoutVersion(lines[0]) : lines[0];
                _requests.Enqueue(new RecordedRequest(begun, ForeignIn(lines.Skip(1).SkipLast(1)), "", IsComplete: false));
                throw;
            }
            catch (EndOfStreamException)
            {
                return null;
            }

            Check(line.Length > 0 || head.Length > 0, "empty line in front of a request", connection);
            head.Append(line).Append("\r\n");
        }
        while (line.Length > 0);
        return head.ToString(0, Math.Max(0, head.Length - 4));
    }

    // A line ends with CR LF; either of them alone stays in it, where the checks find it.
    private async Task<string> ReadLineAsync(Connection connection)
    {
        StringBuilder line = new();
        byte[] next = new byte[1];
        while (await connection.Stream.ReadAsync(next, _stop.Token) == 1)
        {
            line.Append((char)next[0]);
            connection.Received.Append((char)next[0]);
            if (line.Length >= 2 && line[^2] == '\r' && line[^1] == '\n')
            {
                return line.ToString(0, line.Length - 2);
            }
        }

        throw new EndOfStreamException();
    }

    private void Check(bool holds, string what, Connection where)
    {
        if (!holds)
        {
            int shown = Math.Min(where.Received.Length, ReceivedShown);
            _violations.Enqueue($"{what}, at the end of: {where.Received.ToString(where.Received.Length - shown, shown)}");
        }
    }

    // Backends believe these, so each is there once, says what this proxy knows, and nothing that a client said.
    private void CheckOwnFields(string[] lines, Connection connection)
    {
        Check(ValuesOf(lines, "host") is [var host] && host == Address.Authority, "host", connection);
        Check(ValuesOf(lines, "x-forwarded-for") is ["127.0.0.1"], "x-forwarded-for", connection);
        Check(ValuesOf(lines, "x-forwarded-proto") is ["https"], "x-forwarded-proto", connection);
        Check(ValuesOf(lines, "x-forwarded-host") is [var asked] && AskedHost().IsMatch(asked), "x-forwarded-host", connection);
    }

    private static string ForeignIn(IEnumerable<string> fields) =>
        string.Concat(fields.Where(field => !OwnFields.Contains(field.Split(':')[0], StringComparer.OrdinalIgnoreCase)).Select(field => field + "\r\n"));

    private static string WithoutVersion(string requestLine) => requestLine[..Math.Max(0, requestLine.LastIndexOf(' '))];

    private static string[] ValuesOf(string[] lines, string name) =>
        [.. lines[1..].Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 1)..].Trim(' '))];

    [GeneratedRegex(@"^[A-Z]+ [!-~]+ HTTP/1\.1\z")]
    private static partial Regex RequestLine();

    [GeneratedRegex(@"^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xFF]*\z")]
    private static partial Regex Field();

    [GeneratedRegex(@"^[0-9A-Fa-f]{1,7}\z")]
    private static partial Regex ChunkSize();

    [GeneratedRegex(@"^localhost(:[0-9]+)?\z")]
    private static partial Regex AskedHost();

    // What the proxy writes itself; CheckOwnFields and the framing say how.
    private static readonly string[] OwnFields =
        ["Host", "Content-Length", "Transfer-Encoding", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"];

    private const int ReceivedShown = 1500;

    /// <summary>One connection, and everything it has brought so far.</summary>
    private sealed record Connection(BufferedStream Stream, StringBuilder Received);
}
