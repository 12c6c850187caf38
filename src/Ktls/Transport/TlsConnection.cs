using System.IO.Pipelines;
using System.Net;
using Aead.Records;
using Ktls.Handshake;
using Ktls.Kernel;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Ktls.Transport;

// Owns the descriptor from the end of the handshake until exactly one of three things happens, whichever comes first: Kestrel is done with it
// (close_notify, then a lingering close), the client broke the protocol (alert, then a lingering close), or the connection is lost or given
// up (reset). Kestrel may go on using the pipes for a while after that; they then lead nowhere.

/// <summary>An established TLS connection as Kestrel sees it.</summary>
internal sealed partial class TlsConnection : ConnectionContext, IReaderOwner, IWriterOwner, IDuplexPipe
{
    private readonly CancellationTokenSource _closed = new();
    private readonly TransportResources _transport;
    private readonly TlsConnectionListener _listener;
    private readonly ConnectionSocket _socket;
    private readonly RecordPipeReader _reader;
    private readonly RecordPipeWriter _writer;
    private readonly IRecordSink _sink;
    private readonly ConnectionFeatures _features;
    private IDictionary<object, object?>? _items;
    private string? _id;
    private readonly Lock _ending = new();
    private int _given;
    private long _acknowledgedAtDeadline;

    public TlsConnection(
        TransportResources transport,
        TlsConnectionListener listener,
        LoopSocket handshake,
        HandshakeResult result,
        in RecordLayerPair layers,
        EndPoint? remote)
    {
        _transport = transport;
        _listener = listener;
        _socket = new ConnectionSocket(this, handshake);
        _sink = layers.Sink;
        Layers = layers.Layers;
        PostHandshake postHandshake = new(result.Suite.Version);
        RecordIntake intake = new(layers.Source, layers.Sink, postHandshake, transport.Scratches, handshake.Loop);
        _reader = new RecordPipeReader(intake, transport.Pages, this);
        _writer = new RecordPipeWriter(layers.Sink, result.ApplicationProtocol == ManyStreams ? this : null);
        _features = new ConnectionFeatures(this);
        _suite = result.Suite;
        _serverName = result.ServerName;
        ApplicationProtocol = ProtocolBytes(result.ApplicationProtocol);
        RemoteEndPoint = remote;
        LocalEndPoint = listener.LocalAddressOf(handshake.Descriptor);
        ConnectionClosed = _closed.Token;
    }

    public override string ConnectionId
    {
        get => _id ??= _transport.NextConnectionId();
        set => _id = value;
    }

    public override IFeatureCollection Features => _features;

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override IDuplexPipe Transport
    {
        get => field ?? this;
        set;
    }

    public PipeReader Input => _reader;

    public PipeWriter Output => _writer;

    /// <summary>What protects each direction.</summary>
    public RecordLayers Layers { get; }

    /// <summary>Since when the consumer holds verified bytes; 0 when it holds none.</summary>
    public long HoldingSinceTick => _reader.HoldingSinceTick;

    /// <summary>The successor of the handshake for the loop.</summary>
    public LoopSocket Socket => _socket;

    /// <summary>Resets the connection. Kestrel calls this with no reason at all when it only reacts to ConnectionClosed.</summary>
    public override void Abort(ConnectionAbortedException? abortReason) =>
        GiveUp(new ReadEnd(ReadEndKind.Aborted, default, abortReason?.Message ?? "The connection was aborted."));

    /// <summary>Too many verified bytes are held by all; this one has held its own for the longest time.</summary>
    public void Shed()
    {
        if (GiveUp(new ReadEnd(ReadEndKind.Aborted, default, "The connection was shed: its consumer held verified bytes for too long.")))
        {
            _transport.Metrics.ConnectionShed();
            if (_listener.MayLog())
            {
                TransportLog.Shed(_transport.Log, _listener.Options.Name, RemoteEndPoint);
            }
        }
    }

    public override ValueTask DisposeAsync()
    {
        _reader.Complete();
        _writer.Complete();
        lock (_ending)
        {
            if (Give())
            {
                // The consumer can meet the end of reading just before the loop has told it here.
                EndAs(_reader.Ended);
            }
        }

        _sink.Dispose();
        GC.SuppressFinalize(this);
        return base.DisposeAsync();
    }

    // Kestrel can forget a connection that it aborted and never dispose it: in HTTP/2, when more streams end at once than its queue holds
    // ("application never completed"). What that connection holds of the bounded pool must come back all the same, and what it was about to send
    // must not wait in plaintext for the garbage collector. It has no reader and no sink when its constructor failed.
    ~TlsConnection()
    {
        _reader?.Complete();
        _sink?.Dispose();
    }

    void IReaderOwner.OnReadEnd(ReadEnd end)
    {
        lock (_ending)
        {
            if (end.Kind != ReadEndKind.Clean && Give())
            {
                EndAs(end);
            }
        }
    }

    // Null: reading has not ended, which is as good an end as a clean one.
    private void EndAs(ReadEnd? end)
    {
        if (end is { Kind: ReadEndKind.Refused })
        {
            if (_listener.MayLog())
            {
                TransportLog.Refused(_transport.Log, _listener.Options.Name, RemoteEndPoint, end.Reason, end.Alert);
            }

            _transport.Metrics.RecordRefused(end.Alert);
            Finish(end.Alert);
            return;
        }

        if (end is null or { Kind: ReadEndKind.Clean } && !_writer.Failed)
        {
            Finish(AlertDescription.CloseNotify);
            return;
        }

        if (end is { Kind: not ReadEndKind.Clean })
        {
            TransportLog.Lost(_transport.Log, _listener.Options.Name, RemoteEndPoint, end.Reason);
        }

        Drop();
    }

    void IReaderOwner.OnPeerGone() => FireClosed();

    void IReaderOwner.OnOutOfKeys(string reason, bool unreadable)
    {
        // Kestrel lets requests in flight end, takes no more, and closes with close_notify. A request whose rest is under the new keys can only
        // be cut off.
        _transport.Metrics.KernelClosed(reason);
        if (_listener.MayLog())
        {
            TransportLog.OutOfKeys(_transport.Log, _listener.Options.Name, RemoteEndPoint);
        }

        if (unreadable)
        {
            GrantOutOfKeysGrace();
        }

        ThreadPool.UnsafeQueueUserWorkItem(
            static connection => connection._features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose(), this, preferLocal: false);
    }


    private bool GiveUp(ReadEnd end)
    {
        if (!Give())
        {
            return false;
        }

        _reader.End(end);
        Drop();
        return true;
    }

    // Whoever gets true owns the end of the descriptor. Where the end has a last record, it is sent under the lock: disposing the sink, which
    // would drop it, comes after.
    private bool Give() => Interlocked.Exchange(ref _given, 1) == 0;

    private void Finish(AlertDescription alert)
    {
        IUnreadBytes unread = _reader.Close();
        IPendingSend? rest = _sink.End(alert);
        if (rest == null)
        {
            _listener.Close(_socket, reset: true);
        }
        else
        {
            new LingeringClose(_socket, _listener, rest, unread, LingeringClose.Established).Start(_socket);
        }

        _writer.OnEnded();
        FireClosed();
    }

    private void Drop()
    {
        _ = _reader.Close();
        _ = _sink.End(null);
        _listener.Close(_socket, reset: true);
        _writer.OnEnded();
        FireClosed();
    }

    // The callbacks are the consumer's code: they run on the pool, never on the loop, and what they throw is theirs.
    private void FireClosed() => ThreadPool.UnsafeQueueUserWorkItem(
        static connection =>
        {
            try
            {
                connection._closed.Cancel();
            }
            catch (AggregateException fault)
            {
                TransportLog.ClosedCallbackFault(connection._transport.Log, fault);
            }
        },
        this,
        preferLocal: false);

    /// <summary>The peer's FIN was reported before this was the owner of the descriptor.</summary>
    public void OnPeerClosedEarlier() => _reader.OnReadable(peerClosed: true);

    private void GrantOutOfKeysGrace()
    {
        _acknowledgedAtDeadline = SocketCalls.AcknowledgedBytes(_socket.Descriptor);
        _socket.Loop.SetDeadline(_socket, LingeringClose.Established);
    }

    // Responses to requests that came whole go on for as long as the client takes them; a request that did not come whole never will.
    private void OnDeadline()
    {
        if (SocketCalls.AcknowledgedBytes(_socket.Descriptor) - _acknowledgedAtDeadline >= LingeringClose.ProgressBytesMin)
        {
            GrantOutOfKeysGrace();
        }
        else
        {
            GiveUp(new ReadEnd(
                ReadEndKind.Aborted, default, "The client changed its keys, which this kernel cannot follow, and did not end in time."));
        }
    }

    private void OnReady(in ReadyEvent ready)
    {
        if (ready.Writable)
        {
            _writer.OnWritable();
        }

        if (ready.Readable)
        {
            _reader.OnReadable(ready.PeerClosed || ready.Broken, ready.HasError);
            _transport.RelievePressure();
        }

        if (ready.Broken)
        {
            // The reader tells only once its consumer has taken what came before; whoever answers a client that is gone should know now.
            FireClosed();
        }
    }
}
