using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Bench.Compare.Loads;

/// <summary>A client's TLS connection that stays open from request to request.</summary>
internal sealed class HeldConnection : IDisposable
{
    private readonly SslStream _tls;
    private readonly byte[] _buffer = new byte[BufferBytes];

    private HeldConnection(SslStream tls) => _tls = tls;

    /// <summary>Connects, shakes hands and gets the greeting once.</summary>
    public static async Task<HeldConnection> OpenAsync(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? tls = null;
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
#pragma warning disable CA5359 // The certificate was made for this run by this process, and nothing secret is sent.
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
            });
            HeldConnection connection = new(tls);
            await connection.GetAsync();
            return connection;
        }
        catch
        {
            socket.Dispose();
            tls?.Dispose();
            throw;
        }
    }

    /// <summary>One small request and its whole answer.</summary>
    /// <exception cref="IOException">The answer is not the one wanted.</exception>
    public async ValueTask GetAsync()
    {
        await _tls.WriteAsync(Request);
        int length = 0;
        int wanted = int.MaxValue;
        while (length < wanted)
        {
            int read = length == _buffer.Length ? 0 : await _tls.ReadAsync(_buffer.AsMemory(length));
            if (read == 0)
            {
                throw new IOException("The connection ended in the middle of an answer.");
            }

            length += read;
            wanted = LengthOf(_buffer.AsSpan(0, length)) ?? int.MaxValue;
        }
    }

    public void Dispose() => _tls.Dispose();

    /// <returns>Bytes of head and body; null while the head is not complete.</returns>
    private static int? LengthOf(ReadOnlySpan<byte> answer)
    {
        int end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        string head = Encoding.Latin1.GetString(answer[..end]);
        int field = head.IndexOf(LengthField, StringComparison.OrdinalIgnoreCase);
        if (!head.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) || field < 0)
        {
            throw new IOException($"An answer begins with: {head.Split('\r')[0]}");
        }

        ReadOnlySpan<char> value = head.AsSpan(field + LengthField.Length);
        int line = value.IndexOf('\r');
        return end + 4 + int.Parse(line < 0 ? value : value[..line], CultureInfo.InvariantCulture);
    }

    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

    private const string LengthField = "\r\ncontent-length:";

    // The greeting and its head need a fraction of it.
    private const int BufferBytes = 1024;
}
