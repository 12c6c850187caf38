using System.Net.Security;
using System.Net.Sockets;
using TestKit;
using TestKit.Network;

namespace TlsProxy.Tests.Attacks;

/// <summary>Connections over which frames go as no well-behaved client sends them.</summary>
internal static class Http2Client
{
    /// <summary>Connects and sends the preface.</summary>
    public static async Task<SslStream> ConnectAsync(AttackScene scene)
    {
        SslStream tls = await scene.ConnectTlsAsync("h2");
        await tls.WriteAsync(Http2Frame.Preface);
        return tls;
    }

    /// <summary>Sends these, waits until the server has answered or refused them, and ends the connection.</summary>
    public static async Task ExchangeAsync(SslStream tls, byte[][] frames)
    {
        using CancellationTokenSource patience = new(Timeouts.Exchange);
        Http2Reader received = new();
        byte[] buffer = new byte[16 * 1024];
        try
        {
            foreach (byte[] frame in frames)
            {
                await tls.WriteAsync(frame, patience.Token);
            }

            int count = 1;
            while (count > 0 && !received.Ended && !received.Reset && !received.GoAway)
            {
                count = await tls.ReadAsync(buffer, patience.Token);
                received.Add(buffer.AsSpan(0, count));
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The connection was refused as a whole.
        }

        await AttackScene.SendAllAsync(tls, []);
    }
}
