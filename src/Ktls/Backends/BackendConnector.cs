using System.Net;
using System.Net.Sockets;
using Ktls.Transport;

namespace Ktls.Backends;

/// <summary>
/// Plain-text connections to backends that live on the same event loops as the clients' connections: a request that is read on a loop is
/// forwarded, answered and sent back without a change of thread.
/// </summary>
public sealed class BackendConnector
{
    private readonly TlsTransportFactory _transport;

    internal BackendConnector(TlsTransportFactory transport) => _transport = transport;

    /// <summary>How many loops there are.</summary>
    public static int LoopCount => TransportResources.LoopCount;

    /// <summary>
    /// The number of the loop whose connection the calling thread serves, below <see cref="LoopCount"/>; of any loop when it serves none.
    /// A wrong guess costs a change of thread and nothing else.
    /// </summary>
    public static int NearestLoop => EventLoop.Nearest is { } loop ? loop.Number : Environment.CurrentManagedThreadId % LoopCount;

    /// <summary>Connects to the first address of a name that answers, in the order the resolver gives them.</summary>
    /// <param name="loop">The loop to live on, below <see cref="LoopCount"/>.</param>
    /// <param name="backend">The name or the address, and the port.</param>
    /// <param name="cancellationToken">Gives the attempt up.</param>
    /// <returns>A stream for one reader and one writer at a time; asynchronous only.</returns>
    /// <exception cref="SocketException">There is no such name, or no address of it answers.</exception>
    public async ValueTask<Stream> ConnectAsync(int loop, DnsEndPoint backend, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(backend);
        TransportResources transport = _transport.Resources;
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(backend.Host, backend.AddressFamily, cancellationToken).ConfigureAwait(false);
        SocketException refused = new((int)SocketError.HostNotFound);
        foreach (IPAddress address in addresses)
        {
            try
            {
                BackendSocket socket = BackendSocket.Open(transport, transport.Loops[loop], new IPEndPoint(address, backend.Port));
                return await BackendStream.ConnectAsync(socket, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException why)
            {
                refused = why;
            }
        }

        throw refused;
    }
}
