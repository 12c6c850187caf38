using System.Net;
using System.Net.Sockets;
using System.Text;
using Aead;
using Aead.Records;
using Ktls.Tests.Transport;
using TestKit;
using TestKit.Processes;

namespace Kernel.Tests.EndToEnd;

/// <summary>A client that speaks HTTP/1.1 in records it makes one by one, and sees each record it gets.</summary>
internal sealed class HttpRecordClient : IDisposable
{
    private readonly MemoryStream _data = new();

    private HttpRecordClient(RecordStream records) => Records = records;

    public RecordStream Records { get; }

    /// <summary>The data received so far.</summary>
    public byte[] Data => _data.ToArray();

    /// <summary>The data received so far, as text.</summary>
    public string Text => Encoding.ASCII.GetString(Data);

    /// <summary>KeyUpdates received, each with the number of data bytes before it.</summary>
    public List<long> KeyUpdates { get; } = [];

    /// <param name="proxy">Connected to in TLS 1.3.</param>
    /// <param name="receiveBuffer">Small, so that a proxy's buffers fill soon; 0 leaves it to the kernel.</param>
    public static async Task<HttpRecordClient> ConnectAsync(ProxyProcess proxy, int receiveBuffer = 0)
    {
        Socket socket = RawTlsClient.Connect(new IPEndPoint(IPAddress.Loopback, proxy.Port), receiveBuffer);
        return new HttpRecordClient(
            await Task.Run(() => RawTlsClient.Handshake(socket, TlsVersion.Tls13, protocol: "http/1.1")).WaitAsync(Timeouts.Exchange));
    }

    public void Get(string path) => Records.Send(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));

    /// <summary>Reads until the data received ends like this.</summary>
    public Task ReceiveToAsync(string end) => ReceiveWhileAsync(() => !Text.EndsWith(end, StringComparison.Ordinal));

    /// <summary>Reads until so many bytes of data were received.</summary>
    public Task ReceiveAsync(long length) => ReceiveWhileAsync(() => _data.Length < length);

    /// <summary>Reads to the end: the alert, and whether a FIN (and no reset) ended the connection.</summary>
    public async Task<(AlertDescription? Alert, bool Finished)> ReceiveEndAsync()
    {
        (byte[] data, AlertDescription? alert, bool finished) = await Task.Run(Records.ReceiveAll).WaitAsync(Timeouts.Exchange);
        _data.Write(data);
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
                _data.Write(content);
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

    private const int UnchangedMeansFull = 15;
}
