using System.Net;
using Ktls.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ktls.Transport;

/// <summary>
/// The listening socket on the loops. Level-triggered and exclusive: a connection wakes one loop, and what it leaves is reported again.
/// </summary>
internal sealed class AcceptSocket(TlsConnectionListener listener, EventLoop loop, int descriptor, ulong token)
    : LoopSocket(loop, descriptor, token)
{
    private readonly Lock _reserveGate = new();

    // Given up for a moment when the process has no descriptor left, to be able to accept and turn away: an unanswered backlog would keep
    // the loop awake and its clients waiting.
    private SafeFileHandle? _reserve = OpenReserve();

    public override void OnReady(in ReadyEvent ready)
    {
        for (int i = 0; i < AcceptsPerTurn; i++)
        {
            SyscallResult accepted = SocketCalls.Accept(Descriptor, out IPEndPoint? peer);
            if (!accepted.Failed)
            {
                listener.OnAccepted(accepted.Value, peer);
                continue;
            }

            if (accepted.OutOfResources)
            {
                listener.OnAcceptFailed(accepted.ErrorName);
                TurnOneAway();
            }

            if (accepted.WouldBlock || accepted.OutOfResources)
            {
                return;
            }
        }
    }

    public override void OnDeadline()
    {
    }

    public override void OnFault(Exception fault) => listener.OnAcceptFailed("the listener failed");

    /// <summary>Stops listening.</summary>
    public void Close()
    {
        lock (_reserveGate)
        {
            _reserve?.Dispose();
            _reserve = null;
            SocketCalls.Close(Descriptor);
        }
    }

    private void TurnOneAway()
    {
        lock (_reserveGate)
        {
            if (_reserve == null)
            {
                return;
            }

            _reserve.Dispose();
            SyscallResult accepted = SocketCalls.Accept(Descriptor, out _);
            if (!accepted.Failed)
            {
                SocketCalls.Close(accepted.Value);
            }

            _reserve = OpenReserve();
        }
    }

    private static SafeFileHandle? OpenReserve()
    {
        try
        {
            return File.OpenHandle("/dev/null");
        }
        catch (IOException)
        {
            return null;
        }
    }

    // A burst is shared with the other loops and with the connections of this one.
    private const int AcceptsPerTurn = 32;
}
