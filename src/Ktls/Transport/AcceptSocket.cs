using System.Net;
using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>
/// The listening socket on all loops. Level-triggered and exclusive: a connection wakes one loop, and what it leaves is reported again. When
/// the process has no descriptor left it looks away for a moment: an unanswered backlog would keep every loop awake.
/// </summary>
internal sealed class AcceptSocket : LoopSocket
{
    // Also held while accepting: the number of a closed descriptor may be another listener's by now.
    private readonly Lock _gate = new();
    private readonly TransportResources _transport;
    private readonly TlsConnectionListener _listener;
    private bool _watched;
    private bool _closed;

    public AcceptSocket(TransportResources transport, TlsConnectionListener listener, int descriptor)
        : base(transport.Loops[0], descriptor, transport.Table.NextToken(descriptor))
    {
        _transport = transport;
        _listener = listener;
        transport.Table.Replace(this);
    }

    /// <summary>Watches for connections, for the first time or again.</summary>
    public SyscallResult Resume()
    {
        lock (_gate)
        {
            SyscallResult added = default;
            if (_closed || _watched)
            {
                return added;
            }

            _watched = true;
            foreach (EventLoop loop in _transport.Loops)
            {
                added = loop.AddListener(this);
                if (added.Failed)
                {
                    return added;
                }
            }

            return added;
        }
    }

    public override void OnReady(in ReadyEvent ready)
    {
        for (int i = 0; i < AcceptsPerTurn; i++)
        {
            SyscallResult accepted = Accept(out IPEndPoint? peer);
            if (!accepted.Failed)
            {
                _listener.OnAccepted(accepted.Value, peer);
                continue;
            }

            if (accepted.OutOfResources)
            {
                _listener.OnAcceptFailed(accepted.ErrorName);
                Pause();
            }

            if (accepted.WouldBlock || accepted.OutOfResources || _closed)
            {
                return;
            }
        }
    }

    public override void OnDeadline() => Resume();

    public override void OnFault(Exception fault) => _listener.OnAcceptFailed("the listener failed");

    /// <summary>Stops listening. Idempotent.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            Unwatch();
            Loop.ClearDeadline(this);
            _transport.Table.Remove(Descriptor);
            SocketCalls.Close(Descriptor);
        }
    }

    private SyscallResult Accept(out IPEndPoint? peer)
    {
        lock (_gate)
        {
            peer = null;
            return _closed ? SyscallResult.NotYet : SocketCalls.Accept(Descriptor, out peer);
        }
    }

    private void Pause()
    {
        lock (_gate)
        {
            if (_watched && !_closed)
            {
                Unwatch();
                Loop.SetDeadline(this, PauseTime);
            }
        }
    }

    private void Unwatch()
    {
        _watched = false;
        foreach (EventLoop loop in _transport.Loops)
        {
            loop.RemoveListener(Descriptor);
        }
    }

    // A burst is shared with the other loops and with the connections of this one.
    private const int AcceptsPerTurn = 32;

    // Connections end and give descriptors back all the time; clients in the backlog wait no longer than for a lost packet.
    private static readonly TimeSpan PauseTime = TimeSpan.FromMilliseconds(250);
}
