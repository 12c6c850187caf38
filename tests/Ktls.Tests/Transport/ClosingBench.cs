using System.Net;
using System.Net.Sockets;
using Aead.Pages;
using Ktls.Handshake;
using Ktls.Kernel;
using Ktls.Tests.Kernel;
using Ktls.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>A connected socket on a real loop, about to be closed.</summary>
internal sealed class ClosingBench : IDisposable
{
    private readonly SocketPair _sockets;
    private readonly PagePool _pages;
    private readonly TransportResources _transport;
    private readonly TlsConnectionListener _listener;
    private readonly LoopSocket _before;

    public ClosingBench(int peerReceiveBuffer = 0)
    {
        _sockets = new SocketPair(peerReceiveBuffer);
        _pages = PagePool.Create(new PagePolicy { BytesMax = 1 << 20, Delivery = Delivery.Copy }, TransportResources.Stages);
        _transport = new TransportResources(_pages, new TransportHost.SharedMemory(), new NoKernelSupport(), NullLogger.Instance);
        SyscallResult listening = SocketCalls.Listen(new IPEndPoint(IPAddress.Loopback, 0), backlog: 1);
        Assert.False(listening.Failed, listening.ErrorName);
        HandshakePolicy handshake = new() { Identities = new ServerIdentitySet([TransportHost.Identity]) };
        TlsListenerOptions options = new() { Name = "test", Handshake = handshake };
        _listener = new TlsConnectionListener(_transport, new TlsEndPoint(new IPEndPoint(IPAddress.Loopback, 0), options), listening.Value);

        // From here on the close owns the descriptor.
        Descriptor = _sockets.Descriptor;
        _sockets.Ours.SafeHandle.SetHandleAsInvalid();
        _before = new Predecessor(_transport.LeastLoaded(), Descriptor, _transport.Table.NextToken(Descriptor));
        _transport.Table.Replace(_before);
        Assert.False(_before.Loop.Add(_before).Failed);
    }

    public int Descriptor { get; }

    public Socket Peer => _sockets.Peer;

    /// <summary>What was left to send.</summary>
    public SendQueue Rest { get; private set; } = null!;

    public bool IsClosed => _transport.Table.Find(_before.Token) == null;

    /// <summary>Starts the close with these bytes still to send.</summary>
    public void Close(IUnreadBytes unread, TimeSpan patience, params byte[] rest)
    {
        Rest = new SendQueue(Descriptor);
        OutgoingBlock block = _transport.PoolsOf(_before.Loop).Blocks.Rent(large: false);
        rest.CopyTo(block.Buffer, 0);
        Rest.Enqueue(block, 0, rest.Length);
        block.Release();
        Close(unread, patience, Rest);
    }

    /// <summary>The same with whatever is still to send.</summary>
    public void Close(IUnreadBytes unread, TimeSpan patience, IPendingSend rest) =>
        new LingeringClose(_before, _listener, rest, unread, patience).Start(_before);

    public Task UntilClosedAsync() => TestRecords.UntilAsync(() => IsClosed, "the close ends");

    public void Dispose()
    {
        Peer.Dispose();
        UntilClosedAsync().GetAwaiter().GetResult();
        _listener.UnbindAsync().AsTask().GetAwaiter().GetResult();
        _transport.Dispose();
        _pages.Dispose();
    }

    private sealed class Predecessor(EventLoop loop, int descriptor, ulong token) : LoopSocket(loop, descriptor, token)
    {
        public override void OnReady(in ReadyEvent ready)
        {
        }

        public override void OnDeadline()
        {
        }

        public override void OnFault(Exception fault)
        {
        }
    }
}
