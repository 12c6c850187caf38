using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>The first record of a real client, caught by a server that never answers.</summary>
internal static class CapturedHello
{
    public static async Task<byte[]> TakeAsync()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using TcpClient client = new();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using SslStream tls = new(client.GetStream());
        using CancellationTokenSource end = new(Timeouts.Exchange);
        Task authenticating = tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, end.Token);
        using TcpClient server = await listener.AcceptTcpClientAsync(end.Token);
        byte[] header = new byte[5];
        await server.GetStream().ReadExactlyAsync(header, end.Token);
        byte[] fragment = new byte[(header[3] << 8) | header[4]];
        await server.GetStream().ReadExactlyAsync(fragment, end.Token);
        await end.CancelAsync();
        await authenticating.ContinueWith(_ => { }, TaskScheduler.Default);
        return [.. header, .. fragment];
    }
}
