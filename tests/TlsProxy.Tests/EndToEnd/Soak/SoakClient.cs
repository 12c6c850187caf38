using System.Net.Sockets;
using System.Security.Authentication;
using Org.BouncyCastle.Tls;

namespace TlsProxy.Tests.EndToEnd.Soak;

/// <summary>One kind of client. What it does is repeated until the soak ends.</summary>
/// <param name="Name">In the table.</param>
/// <param name="Share">How many of each hundred.</param>
/// <param name="IsDisturbed">Whether it disturbs, or is disturbed, so that its connection may end anyhow.</param>
/// <param name="ActAsync">One round.</param>
internal sealed record SoakClient(string Name, int Share, bool IsDisturbed, Func<SoakSession, Task> ActAsync)
{
    public static IReadOnlyList<SoakClient> All { get; } = [.. UndisturbedClients.All, .. DisturbedClients.All];

    public async Task RunAsync(SoakSession session)
    {
        do
        {
            session.IsDisturbed = false;
            try
            {
                await ActAsync(session);
            }
            catch (Exception e) when (IsDisturbed && IsEndOfConnection(e))
            {
                // What was provoked. A wrong byte, or an end that looks right and is not, is another exception.
            }
            catch (Exception e)
            {
                session.Ledger.Failed(Name, e);
            }

            // A round in which the disturbance never came is none.
            if (session.IsDisturbed == IsDisturbed)
            {
                session.Ledger.Finished(Name);
            }
        }
        while (!session.End.IsCancellationRequested);
    }

    private static bool IsEndOfConnection(Exception exception) =>
        exception is HttpRequestException or IOException or SocketException or AuthenticationException or ObjectDisposedException or TlsException;
}
