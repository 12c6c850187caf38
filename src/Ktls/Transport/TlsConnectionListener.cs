using System.Net;
using System.Threading.Channels;
using Aead.Records;
using Ktls.Handshake;
using Ktls.Kernel;
using Microsoft.AspNetCore.Connections;

namespace Ktls.Transport;

/// <summary>
/// One listening socket, shared by all loops, and everything accepted from it: handshakes in flight, connections, closes under way. Each of the
/// three is bounded.
/// </summary>
internal sealed class TlsConnectionListener : IConnectionListener
{
    private readonly TransportResources _transport;
    private readonly AcceptSocket _accept;
    private readonly Channel<ConnectionContext> _accepted;
    private readonly Lock _gate = new();
    private readonly LinkedList<PendingHandshake> _handshakes = new();
    private readonly TaskCompletionSource _allClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open;
    private long _failureTick;
    private bool _unbound;
    private bool _disposed;

    public TlsConnectionListener(TransportResources transport, TlsEndPoint address, int descriptor)
    {
        _transport = transport;
        Options = address.Options;
        LocalAddress = SocketCalls.LocalAddress(descriptor);
        _accepted = Channel.CreateBounded<ConnectionContext>(
            new BoundedChannelOptions(Options.MaxConnections) { SingleReader = true, AllowSynchronousContinuations = true });
        _accept = new AcceptSocket(this, transport.Loops[0], descriptor, transport.Table.NextToken(descriptor));
        transport.Table.Replace(_accept);
        foreach (EventLoop loop in transport.Loops)
        {
            loop.AddListener(_accept);
        }
    }

    /// <summary>How it listens.</summary>
    public TlsListenerOptions Options { get; }

    /// <summary>The address in force, with the port the kernel chose if it was 0.</summary>
    public IPEndPoint LocalAddress { get; }

    public EndPoint EndPoint => LocalAddress;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false) && _accepted.Reader.TryRead(out ConnectionContext? connection)
            ? connection
            : null;

    /// <summary>Stops accepting. Handshakes in flight get a moment to end; after the last one AcceptAsync answers null.</summary>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        bool last;
        lock (_gate)
        {
            if (_unbound)
            {
                return ValueTask.CompletedTask;
            }

            _unbound = true;
            last = _handshakes.Count == 0;
            foreach (PendingHandshake handshake in _handshakes)
            {
                handshake.Loop.SetDeadline(handshake, UnbindGrace);
            }
        }

        foreach (EventLoop loop in _transport.Loops)
        {
            loop.RemoveListener(_accept.Descriptor);
        }

        _transport.Table.Remove(_accept.Descriptor);
        _accept.Close();
        if (last)
        {
            _accepted.Writer.TryComplete();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Waits, bounded, until what Kestrel is done with has really left: a last answer may still be on its way to a slow client.</summary>
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync().ConfigureAwait(false);
        lock (_gate)
        {
            _disposed = true;
            if (_open == 0)
            {
                _allClosed.TrySetResult();
            }
        }

        await Task.WhenAny(_allClosed.Task, Task.Delay(DrainMax)).ConfigureAwait(false);
    }

    /// <summary>Takes an accepted socket in, or turns it away.</summary>
    public void OnAccepted(int descriptor, IPEndPoint? remote)
    {
        EventLoop loop = _transport.LeastLoaded();
        PendingHandshake handshake = new(_transport, this, loop, descriptor, _transport.Table.NextToken(descriptor), remote);
        if (!TryCountIn())
        {
            SocketCalls.Close(descriptor);
            OnAcceptFailed($"MaxConnections ({Options.MaxConnections}) are open");
            return;
        }

        _transport.Table.Replace(handshake);
        loop.SetDeadline(handshake, Options.HandshakeTimeout);
        SyscallResult added = loop.Add(handshake);
        if (added.Failed)
        {
            OnAcceptFailed(added.ErrorName);
            handshake.End(new HandshakeRefusal(AlertDescription.InternalError, added.ErrorName));
        }

        // Last, because from here on another accept may shed it, and so close its descriptor.
        Enlist(handshake)?.End(
            new HandshakeRefusal(AlertDescription.InternalError, "more than MaxHandshakes are in flight, and this one is the oldest"));
    }

    /// <summary>A handshake succeeded and its descriptor belongs to the connection.</summary>
    public void OnEstablished(PendingHandshake handshake, TlsConnection connection)
    {
        if (!_accepted.Writer.TryWrite(connection))
        {
            connection.Abort(new ConnectionAbortedException("The listener is closed."));
        }

        OnHandshakeOver(handshake);
    }

    /// <summary>A handshake ended, well or not.</summary>
    public void OnHandshakeOver(PendingHandshake handshake)
    {
        handshake.Loop.ClearDeadline(handshake);
        lock (_gate)
        {
            handshake.IsOver = true;
            Forget(handshake);
            if (_unbound && _handshakes.Count == 0)
            {
                _accepted.Writer.TryComplete();
            }
        }
    }

    /// <summary>Closes the descriptor of its last owner.</summary>
    public void Close(LoopSocket socket, bool reset)
    {
        socket.Loop.Close(socket, reset);
        lock (_gate)
        {
            _open--;
            if (_disposed && _open == 0)
            {
                _allClosed.TrySetResult();
            }
        }
    }

    /// <summary>The address a client connected to.</summary>
    public IPEndPoint LocalAddressOf(int descriptor) =>
        LocalAddress.Address.Equals(IPAddress.Any) || LocalAddress.Address.Equals(IPAddress.IPv6Any)
            ? SocketCalls.LocalAddress(descriptor)
            : LocalAddress;

    /// <summary>Reports a failing accept, at most once a second.</summary>
    public void OnAcceptFailed(string reason)
    {
        long now = Environment.TickCount64;
        if (now - Interlocked.Read(ref _failureTick) > 1000)
        {
            Interlocked.Exchange(ref _failureTick, now);
            TransportLog.AcceptRefused(_transport.Log, Options.Name, reason);
        }
    }

    private bool TryCountIn()
    {
        lock (_gate)
        {
            bool room = !_unbound && _open < Options.MaxConnections;
            _open += room ? 1 : 0;
            return room;
        }
    }

    // Answers the one that has to make room, if one has to.
    private PendingHandshake? Enlist(PendingHandshake handshake)
    {
        lock (_gate)
        {
            if (handshake.IsOver)
            {
                return null;
            }

            handshake.Node = _handshakes.AddLast(handshake);
            if (_handshakes.Count <= Options.MaxHandshakes)
            {
                return null;
            }

            PendingHandshake oldest = _handshakes.First!.Value;
            Forget(oldest);
            return oldest;
        }
    }

    private void Forget(PendingHandshake handshake)
    {
        if (handshake.Node is { } node)
        {
            _handshakes.Remove(node);
            handshake.Node = null;
        }
    }

    // A client in the middle of a handshake is a round trip or two from its end.
    private static readonly TimeSpan UnbindGrace = TimeSpan.FromSeconds(2);

    // As long as a lingering close may take to send and to see the peer's FIN.
    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(15);
}
