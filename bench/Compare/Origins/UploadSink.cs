using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bench.Compare.Origins;

/// <summary>
/// What stands behind /upload: reads each body of a known length, forgets it, and answers with its length, so
/// that the client knows that all of it arrived. Raw sockets, because a server that is slower than the proxy
/// would hide the proxy.
/// </summary>
internal static class UploadSink
{
    /// <summary>Serves until the process ends.</summary>
    public static void Serve(int port)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(512);
        while (true)
        {
            Socket client = listener.Accept();
            new Thread(() => Converse(client)) { IsBackground = true }.Start();
        }
    }

    private static void Converse(Socket client)
    {
        using Socket socket = client;
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        try
        {
            int kept = 0;
            while (ReadHead(socket, buffer, ref kept) is { } head)
            {
                long length = LengthOf(head);
                if (length < 0)
                {
                    Answer(socket, "411 Length Required", "This sink takes bodies with a Content-Length only.");
                    return;
                }

                Discard(socket, buffer, length, ref kept);
                Answer(socket, "200 OK", length.ToString(CultureInfo.InvariantCulture));
            }
        }
        catch (SocketException)
        {
            // The proxy gave up on this connection; the load's own count tells whether that was wrong.
        }
    }

    /// <returns>The head without its empty line; null when the peer has ended or sends nonsense.</returns>
    private static string? ReadHead(Socket socket, byte[] buffer, ref int kept)
    {
        int end;
        while ((end = buffer.AsSpan(0, kept).IndexOf("\r\n\r\n"u8)) < 0)
        {
            int received = kept == buffer.Length ? 0 : socket.Receive(buffer.AsSpan(kept));
            if (received == 0)
            {
                return null;
            }

            kept += received;
        }

        string head = Encoding.Latin1.GetString(buffer, 0, end);
        kept -= end + 4;
        buffer.AsSpan(end + 4, kept).CopyTo(buffer);
        return head;
    }

    private static long LengthOf(string head)
    {
        const string Field = "\r\ncontent-length:";
        int start = head.IndexOf(Field, StringComparison.OrdinalIgnoreCase);
        string value = start < 0 ? "" : head[(start + Field.Length)..].Split('\r')[0];
        return long.TryParse(value, CultureInfo.InvariantCulture, out long length) ? length : -1;
    }

    private static void Discard(Socket socket, byte[] buffer, long length, ref int kept)
    {
        long left = length - Math.Min(kept, length);
        kept -= (int)(length - left);
        while (left > 0)
        {
            int received = socket.Receive(buffer.AsSpan(0, (int)Math.Min(buffer.Length, left)));
            if (received == 0)
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }

            left -= received;
        }
    }

    private static void Answer(Socket socket, string status, string body) =>
        socket.Send(Encoding.Latin1.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\n\r\n{body}"));

    private const int BufferBytes = 256 << 10;
}
