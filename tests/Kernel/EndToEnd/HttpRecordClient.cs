using System.Net;
using System.Net.Sockets;
using System.Text;
using Aead;
using Aead.Records;
using Ktls.Tests.Transport;
using TestKit;
using TestKit.Network;
using TestKit.Processes;

namespace Kernel.Tests.EndToEnd;

/// <summary>A client that speaks HTTP in records it makes one by one, and sees each record it gets.</summary>
internal sealed class HttpRecordClient : IDisposable
{
    private readonly MemoryStream _data = new();
    private readonly Http2Reader? _http2;

    private HttpRecordClient(RecordStream records, bool http2)
    {
        Records = records;
        _http2 = http2 ? new Http2Reader() : null;
    }

    public RecordStream Records { get; }

    /// <summary>Bytes of data received so far.</summary>
    public long ReceivedLength => _data.Length;

    /// <summary>The data received so far, as text.</summary>
    public string Text => Encoding.ASCII.GetString(_data.ToArray());

    /// <summary>With HTTP/2: what was received.</summary>
    public Http2Reader Http2 => _http2!;

    /// <summary>KeyUpdates received, each with the number of data bytes before it.</summary>
    public List<long> KeyUpdates { get; } = [];

    /// <param name="proxy">Connected to in TLS 1.3.</param>
    /// <param name="http2">HTTP/2, else HTTP/1.1.</param>
    /// <param name="receiveBuffer">Small, so that a proxy's buffers fill soon; 0 leaves it to the kernel.</param>
    public static async Task<HttpRecordClient> ConnectAsync(ProxyProcess proxy, bool http2 = false, int receiveBuffer = 0)
    {
        Socket socket = RawTlsClient.Connect(new IPEndPoint(IPAddress.Loopback, proxy.Port), receiveBuffer);
        RecordStream records = await Task.Run(() => RawTlsClient.Handshake(socket, TlsVersion.Tls13, protocol: http2 ? "h2" : "http/1.1"))
            .WaitAsync(Timeouts.Exchange);
        return new HttpRecordClient(records, http2);
    }

    /// <summary>Asks for a path; with HTTP/2 once only.</summary>
    public void Get(string path) => Records.Send(
        _http2 != null ? Http2Get(path) : Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));

    /// <summary>HTTP/1.1: reads until what comes ends like this.</summary>
    public Task ReceiveToAsync(string end)
    {
        long before = _data.Length;
        return ReceiveWhileAsync(() => _data.Length == before || !Text.EndsWith(end, StringComparison.Ordinal));
    }

    /// <summary>Reads until so many bytes of data were received.</summary>
    public Task ReceiveAsync(long length) => ReceiveWhileAsync(() => _data.Length < length);

    /// <summary>HTTP/2: reads to the end of the response.</summary>
    public Task ReceiveResponseAsync() => ReceiveWhileAsync(() => !Http2.Ended);

    /// <summary>Reads to the end: the alert, and whether a FIN (and no reset) ended the connection.</summary>
    public async Task<(AlertDescription? Alert, bool Finished)> ReceiveEndAsync()
    {
        (byte[] data, AlertDescription? alert, bool finished) = await Task.Run(Records.ReceiveAll).WaitAsync(Timeouts.Exchange);
        Take(data);
        return (alert, finished);
    }

    /// <summary>Waits, reading nothing, until nothing more arrives because the proxy's socket and this one are full.</summary>
    public async Task UntilFullAsync()
    {
        using CancellationTokenSource patience = new(Timeouts.Exchange);
        int before = -1;
        for (int unchanged = 0; unchanged < UnchangedMeansFull;)
        {
            int now = Records.Socket.Available;
            unchanged = now > 0 && now == before ? unchanged + 1 : 0;
            before = now;
            await Task.Delay(TimeSpan.FromMilliseconds(20), patience.Token);
        }
    }

    public void Dispose()
    {
        Records.Dispose();
        _data.Dispose();
    }

    private Task ReceiveWhileAsync(Func<bool> wanting) => Task.Run(() =>
    {
        while (wanting())
        {
            (ContentType type, byte[] content) = Records.Receive() ?? throw new EndOfStreamException($"The connection ended after: {Text}");
            if (type == ContentType.ApplicationData)
            {
                Take(content);
            }
            else if (type == ContentType.Handshake)
            {
                KeyUpdates.Add(_data.Length);
            }
            else
            {
                throw new InvalidDataException($"The proxy sent the alert {(AlertDescription)content[1]}.");
            }
        }
    }).WaitAsync(Timeouts.Exchange);

    private void Take(byte[] content)
    {
        _data.Write(content);
        _http2?.Add(content);
    }

    // Everything a connection begins with and one request; windows are as large as they can be.
    private static byte[] Http2Get(string path) =>
    [
        .. Http2Frame.PrefaceWith([0, InitialWindowSize, .. Http2Frame.BigEndian(int.MaxValue)]),
        .. Http2Frame.Of(Http2Frame.WindowUpdateType, 0, 0, Http2Frame.BigEndian(int.MaxValue - DefaultWindow)),
        .. Http2Frame.Headers(1, true, Http2Frame.Request("GET", path)),
    ];

    // RFC 9113 section 6.5.2.
    private const byte InitialWindowSize = 4;
    private const int DefaultWindow = 65_535;

    private const int UnchangedMeansFull = 15;
}
