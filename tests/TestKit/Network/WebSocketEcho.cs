using System.Net.WebSockets;

namespace TestKit.Network;

/// <summary>A conversation with an origin that sends back each message it is sent.</summary>
public static class WebSocketEcho
{
    /// <summary>Sends a message of each length, one after the other, and closes.</summary>
    /// <exception cref="InvalidDataException">Something else came back.</exception>
    public static async Task ExchangeAsync(HttpClient client, string path, IEnumerable<int> lengths)
    {
        using CancellationTokenSource patience = new(Timeouts.Exchange);
        using ClientWebSocket socket = new();
        UriBuilder address = new(new Uri(client.BaseAddress!, path)) { Scheme = "wss" };
        await socket.ConnectAsync(address.Uri, client, patience.Token);
        foreach (int length in lengths)
        {
            byte[] message = PatternBody.Take(length);
            await socket.SendAsync(message, WebSocketMessageType.Binary, true, patience.Token);
            byte[] echo = await ReceiveAsync(socket, patience.Token);
            if (!echo.AsSpan().SequenceEqual(message))
            {
                throw new InvalidDataException($"The echo of {length} bytes is not what was sent.");
            }
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
        if (socket.CloseStatus != WebSocketCloseStatus.NormalClosure)
        {
            throw new InvalidDataException($"The origin closed with {socket.CloseStatus}.");
        }
    }

    private static async Task<byte[]> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        using MemoryStream message = new();
        byte[] buffer = new byte[4096];
        ValueWebSocketReceiveResult received;
        do
        {
            received = await socket.ReceiveAsync(buffer.AsMemory(), cancellation);
            message.Write(buffer, 0, received.Count);
        }
        while (!received.EndOfMessage);
        return message.ToArray();
    }
}
