using System.Net;
using System.Net.Sockets;

namespace Bench.Compare.Machine;

/// <summary>
/// Ports of 127.0.0.1. Fixed, and below those the kernel gives to clients, so that no connection of a load can
/// sit on one while a peer restarts.
/// </summary>
internal static class LocalPort
{
    public const int Origin = 21080;
    public const int Sink = 21081;
    public const int Peer = 21443;

    /// <summary>Whether somebody listens.</summary>
    public static async Task<bool> AcceptsAsync(int port)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Or else the load would go to a stranger.</summary>
    public static async Task ThrowIfTakenAsync(string name, int port)
    {
        if (await AcceptsAsync(port))
        {
            throw new BenchException(
                $"{name} needs port {port}, where something listens already (an earlier run?); end it: ss -ltnp 'sport = :{port}' names it.");
        }
    }
}
