using System.Diagnostics.CodeAnalysis;
using System.Net;
using Aead.Records;
using Ktls.Handshake;
using Ktls.Kernel;
using Microsoft.AspNetCore.Connections;

namespace Ktls.Transport;

/// <summary>
/// An accepted socket until its handshake ends. Its steps run on the thread pool (<see cref="HandshakeSteps"/>), one at a time: signing and
/// key exchange take a good part of a millisecond and must not hold up a loop. Deadline and shedding only leave a note and let the next step act on it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The step that ends the handshake disposes what it owns.")]
internal sealed class PendingHandshake(
    TransportResources transport, TlsConnectionListener listener, EventLoop loop, int descriptor, ulong token, IPEndPoint? remote)
    : LoopSocket(loop, descriptor, token), IThreadPoolWorkItem
{
    private readonly HandshakeReader _reader = new(descriptor);
    private ServerHandshake? _handshake;
    private ReadOnlyMemory<byte> _output;
    private HandshakeRefusal? _ended;
    private int _state = Idle;

    // A FIN has one edge, and a client may send it right behind its Finished: the connection must hear of it.
    private volatile bool _peerClosed;
    private volatile TlsConnection? _connection;

    /// <summary>Its place among the listener's handshakes in flight; guarded by the listener.</summary>
    public LinkedListNode<PendingHandshake>? Node { get; set; }

    /// <summary>It has sent something; guarded by the listener. Only the loop writes it, so the loop may read it without the lock.</summary>
    public bool HasSpoken { get; set; }

    /// <summary>It is no longer in flight; guarded by the listener.</summary>
    public bool IsOver { get; set; }

    // Every new socket is writable at once: until the client has sent something that is no reason for a step.
    public override void OnReady(in ReadyEvent ready)
    {
        _peerClosed |= ready.PeerClosed || ready.Broken;

        // Each side writes its own field, then reads the other's: without the fence both could miss.
        Interlocked.MemoryBarrier();
        if (_connection is { } connection)
        {
            // The loop found this handshake in the table just before its connection took the place.
            connection.Socket.OnReady(ready);
            return;
        }

        if (ready.Readable && !HasSpoken)
        {
            // At once, and not when the thread pool has time for these bytes.
            listener.OnSpoken(this);
        }

        if (ready.Readable || Volatile.Read(ref _handshake) != null)
        {
            Schedule();
        }
    }

    public override void OnDeadline() => End(new HandshakeRefusal(AlertDescription.UserCanceled, "the client took longer than the handshake time-out"));

    public override void OnFault(Exception fault) => End(new HandshakeRefusal(AlertDescription.InternalError, "the transport failed"));

    /// <summary>Gives the handshake up. Any thread.</summary>
    public void End(HandshakeRefusal why)
    {
        Interlocked.CompareExchange(ref _ended, why, null);
        Schedule();
    }

    /// <summary>Runs a step soon, or once more if one is running. Any thread.</summary>
    public void Schedule()
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            int next = state == Idle ? Running : RunAgain;
            if (state is Over or RunAgain)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref _state, next, state) == state)
            {
                if (state == Idle)
                {
                    transport.HandshakeSteps.Add(this);
                }

                return;
            }
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        // A full fence: what Schedule's caller noted before it saw a step under way must be seen by this step.
        Interlocked.Exchange(ref _state, Running);
        if (Step())
        {
            Volatile.Write(ref _state, Over);
            _reader.Dispose();
            _handshake?.Dispose();
        }
        else if (Interlocked.CompareExchange(ref _state, Idle, Running) != Running)
        {
            // Behind the others: who sends byte by byte would else keep its worker.
            transport.HandshakeSteps.Add(this);
        }
    }

    // True when the handshake is over and the descriptor has another owner or none.
    private bool Step()
    {
        _reader.OnReadable();
        try
        {
            return Advance();
        }
        catch (Exception fault)
        {
            TransportLog.LoopFault(transport.Log, fault);
            if (_connection is { } connection)
            {
                // The descriptor is no longer ours to close.
                connection.Abort(new ConnectionAbortedException("The transport failed to hand the connection over."));
                listener.OnHandshakeOver(this);
            }
            else
            {
                Drop("the transport failed");
            }

            return true;
        }
    }

    private bool Advance()
    {
        while (true)
        {
            if (_ended is { } ended && _handshake is null or { Result: null, Refusal: null })
            {
                if (_handshake == null)
                {
                    // Nothing was received: nobody to send an alert to, and nothing worth a line.
                    Drop(ended.Reason);
                    return true;
                }

                _handshake.Refuse(ended);
            }

            _output = _output.IsEmpty && _handshake != null ? _handshake.TakeOutput() : _output;
            if (_handshake?.Refusal is { } refusal)
            {
                Refuse(refusal);
                return true;
            }

            if (!TrySendOutput(out bool gone))
            {
                if (!gone && _ended is { } late)
                {
                    // Established but for the last flight, which the client does not take: BouncyCastle has nothing left to refuse with.
                    Drop(late.Reason);
                    gone = true;
                }

                return gone;
            }

            if (_handshake?.Result is { } result)
            {
                if (!_reader.IsEmpty)
                {
                    Drop("bytes that belong to the record layer were read with the handshake");
                    return true;
                }

                Establish(result);
                return true;
            }

            _handshake ??= new ServerHandshake(listener.Options.Handshake);
            switch (_reader.Read(_handshake, _peerClosed))
            {
                case HandshakeRead.NeedMoreData:
                    return false;
                case HandshakeRead.Gone:
                    Drop("the client closed the connection");
                    return true;
                case HandshakeRead.Record:
                    _handshake.Offer(_reader.Record!, _reader.Length);
                    _reader.Next();
                    break;
            }
        }
    }

    private bool TrySendOutput(out bool gone)
    {
        gone = false;
        while (!_output.IsEmpty)
        {
            SyscallResult sent = SocketCalls.Send(Descriptor, _output.Span);
            if (sent.Failed)
            {
                gone = !sent.WouldBlock;
                if (gone)
                {
                    Drop(sent.ErrorName);
                }

                return false;
            }

            _output = _output[sent.Value..];
        }

        return true;
    }

    private void Establish(HandshakeResult result)
    {
        transport.Metrics.HandshakeSucceeded();
        RecordLayerPair layers = RecordLayerInstaller.Install(transport, this, result, listener.Options.Kernel);
        transport.Metrics.ConnectionEstablished(layers.Layers);
        TlsConnection connection = new(transport, listener, this, result, layers, remote);
        Loop.Replace(this, connection.Socket);
        _connection = connection;
        Interlocked.MemoryBarrier();
        if (_peerClosed)
        {
            connection.OnPeerClosedEarlier();
        }

        listener.OnEstablished(this, connection);
        transport.AbortIfDistrusted(connection);
    }

    private void Refuse(HandshakeRefusal refusal)
    {
        if (listener.MayLog())
        {
            TransportLog.HandshakeRefused(transport.Log, listener.Options.Name, remote, refusal.Reason, refusal.Alert);
        }

        transport.Metrics.HandshakeRefused(refusal.Alert);
        SendQueue rest = new(Descriptor);
        Enqueue(rest, _output.Span);
        Enqueue(rest, _handshake!.TakeOutput().Span);
        listener.OnHandshakeOver(this);
        new LingeringClose(this, listener, rest, new PlainUnreadBytes(Descriptor), LingeringClose.Refused).Start(this);
    }

    private void Enqueue(SendQueue rest, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            OutgoingBlock block = transport.PoolsOf(Loop).Blocks.Rent(large: false);
            int length = Math.Min(block.Buffer.Length, bytes.Length);
            bytes[..length].CopyTo(block.Buffer);
            rest.Enqueue(block, 0, length);
            block.Release();
            bytes = bytes[length..];
        }
    }

    private void Drop(string reason)
    {
        TransportLog.HandshakeDropped(transport.Log, listener.Options.Name, remote, reason);
        _handshake?.Result?.Dispose();
        listener.OnHandshakeOver(this);
        listener.Close(this, reset: false);
    }

    private const int Idle = 0;
    private const int Running = 1;
    private const int RunAgain = 2;
    private const int Over = 3;
}
