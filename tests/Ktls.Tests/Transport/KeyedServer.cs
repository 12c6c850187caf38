using System.Net;
using System.Net.Sockets;
using Aead.Pages;
using Ktls.Handshake;
using Ktls.Kernel;
using Ktls.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>
/// The real transport without handshakes, which would be most of what is measured or waited for: both sides of a connection start with keys
/// they agree on.
/// </summary>
internal sealed class KeyedServer : IAsyncDisposable
{
    private readonly TlsConnectionListener _listener;
    private readonly KernelPolicy _layers;
    private readonly Socket _acceptor = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <param name="pages">The policy of the page pool.</param>
    /// <param name="kernel">What the kernel may be given.</param>
    /// <param name="layers">Which record layers are wanted.</param>
    public KeyedServer(PagePolicy pages, IKernelSupport kernel, KernelPolicy layers)
    {
        _layers = layers;
        Pages = PagePool.Create(pages, TransportResources.Stages);
        Transport = new TransportResources(Pages, new TransportHost.SharedMemory(), kernel, NullLogger.Instance);
        SyscallResult listening = SocketCalls.Listen(new IPEndPoint(IPAddress.Loopback, 0), backlog: 1);
        Assert.False(listening.Failed, listening.ErrorName);
        TlsListenerOptions options = new()
        {
            Name = "keyed",
            Handshake = new HandshakePolicy { Identities = new ServerIdentitySet([TransportHost.Identity]) },
        };
        _listener = new TlsConnectionListener(Transport, new TlsEndPoint(new IPEndPoint(IPAddress.Loopback, 0), options), listening.Value);
        _acceptor.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _acceptor.Listen(1024);
    }

    public PagePool Pages { get; }

    public TransportResources Transport { get; }

    /// <summary>Connections that have not left, those that only linger among them.</summary>
    public int Open => Transport.Loops.ToArray().Sum(loop => loop.SocketCount);

    /// <summary>An established connection, and its client's socket.</summary>
    /// <param name="keys">The server's copy of the keys, which moves to its record layers.</param>
    public (TlsConnection Server, Socket Client) Connect(HandshakeResult keys)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(_acceptor.LocalEndPoint!);
        Socket accepted = _acceptor.Accept();
        accepted.Blocking = false;
        int descriptor = (int)accepted.Handle;

        // From here on the connection owns the descriptor.
        accepted.SafeHandle.SetHandleAsInvalid();
        EventLoop loop = Transport.LeastLoaded();
        Newcomer newcomer = new(loop, descriptor, Transport.Table.NextToken(descriptor));
        Transport.Table.Replace(newcomer);
        Assert.False(loop.Add(newcomer).Failed);
        RecordLayerPair layers = RecordLayerInstaller.Install(Transport, newcomer, keys, _layers);
        TlsConnection connection = new(Transport, _listener, newcomer, keys, layers, remote: null);
        loop.Replace(newcomer, connection.Socket);
        return (connection, client);
    }

    public async ValueTask DisposeAsync()
    {
        _acceptor.Dispose();
        await _listener.UnbindAsync();
        Transport.Dispose();
        Pages.Dispose();
    }

    private sealed class Newcomer(EventLoop loop, int descriptor, ulong token) : LoopSocket(loop, descriptor, token)
    {
        public override void OnReady(in ReadyEvent ready)
        {
        }

        public override void OnDeadline()
        {
        }

        public override void OnFault(Exception fault) => Assert.Fail(fault.ToString());
    }
}
