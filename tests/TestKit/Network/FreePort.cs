using System.Net;
using System.Net.Sockets;

namespace TestKit.Network;

/// <summary>Ports for programs that cannot be asked to pick one themselves.</summary>
public static class FreePort
{
    private static int _next = Random.Shared.Next(First, End);

    /// <summary>
    /// A port nobody listens on now. Taken below the ephemeral range (32768 up), so that the thousands of
    /// outgoing connections of the load tests cannot take it before the program binds it.
    /// </summary>
    public static int Next()
    {
        for (int attempt = 0; attempt < End - First; attempt++)
        {
            int port = First + (Interlocked.Increment(ref _next) - First) % (End - First);
            if (CanBind(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"Every port from {First} to {End} is in use.");
    }

    /// <summary>Whether nobody listens there.</summary>
    public static bool CanBind(int port)
    {
        try
        {
            using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private const int First = 12_000;
    private const int End = 32_000;
}
