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
    private readonly HandshakesInFlight _handshakes;
    private readonly LineLimit _lines = new();
    private readonly TaskCompletionSource _allClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open;
    private bool _unbound;
    private bool _disposed;

    public TlsConnectionListener(TransportResources transport, TlsEndPoint address, int descriptor)
    {
        _transport = transport;
        Options = address.Options;
        LocalAddress = SocketCalls.LocalAddress(descriptor);
        _handshakes = new HandshakesInFlight(Options.MaxHandshakes);
        _accepted = Channel.CreateBounded<ConnectionContext>(
            new BoundedChannelOptions(Options.MaxConnections) { SingleReader = true, AllowSynchronousContinuations = true });
        _accept = new AcceptSocket(transport, this, descriptor);
        if (_accept.Resume() is { Failed: true } refused)
        {
            _accept.Close();
            throw new IOException($"Listener \"{Options.Name}\" cannot be watched: {refused.ErrorName}.");
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
            foreach (PendingHandshake handshake in _handshakes.All)
            {
                handshake.Loop.SetDeadline(handshake, UnbindGrace);
            }
        }

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
        PendingHandshake? oldest;
        lock (_gate)
        {
            oldest = _handshakes.Add(handshake);
        }

        oldest?.End(new HandshakeRefusal(AlertDescription.InternalError, "MaxHandshakes are in flight, and a newcomer needs the room"));
    }

    /// <summary>The first bytes of a handshake came.</summary>
    public void OnSpoken(PendingHandshake handshake)
    {
        lock (_gate)
        {
            _handshakes.OnSpoken(handshake);
        }
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
        bool last;
        lock (_gate)
        {
            handshake.IsOver = true;
            HandshakesInFlight.Remove(handshake);
            last = _unbound && _handshakes.Count == 0;
        }

        if (last)
        {
            // Outside the lock: this may run Kestrel's accept loop.
            _accepted.Writer.TryComplete();
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

    /// <summary>Reports a failing accept.</summary>
    public void OnAcceptFailed(string reason)
    {
        if (MayLog())
        {
            TransportLog.AcceptRefused(_transport.Log, Options.Name, reason);
        }
    }

    /// <summary>True when a line about a stranger's doing may be logged; says so when some were left out before.</summary>
    public bool MayLog()
    {
        bool may = _lines.TryTake(out int leftOut);
        if (leftOut > 0)
        {
            TransportLog.LinesLeftOut(_transport.Log, Options.Name, leftOut);
        }

        return may;
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

    // A client in the middle of a handshake is a round trip or two from its end.
    private static readonly TimeSpan UnbindGrace = TimeSpan.FromSeconds(2);

    // Longer than the patience of a lingering close; a client that is slower loses its last bytes when the program stops.
    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(15);
}
