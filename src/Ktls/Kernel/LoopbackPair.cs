using System.Net;

namespace Ktls.Kernel;

/// <summary>
/// Two ends of a TCP connection of this process with itself, both non-blocking. The listening socket is bound to the loopback, takes only
/// its own peer and is gone when this is made.
/// </summary>
internal sealed class LoopbackPair : IDisposable
{
    private LoopbackPair(int ours, int peers) => (Ours, Peers) = (ours, peers);

    /// <summary>The end that is handed to the kernel.</summary>
    public int Ours { get; }

    /// <summary>The other end, which sees what is on the wire.</summary>
    public int Peers { get; }

    /// <summary>Makes a pair, or tells why there is none.</summary>
    public static LoopbackPair? TryCreate(out SyscallResult refusal)
    {
        refusal = SocketCalls.Listen(new IPEndPoint(IPAddress.Loopback, 0), backlog: 1);
        if (refusal.Failed)
        {
            return null;
        }

        int listener = refusal.Value;
        try
        {
            refusal = SocketCalls.Connect(SocketCalls.LocalAddress(listener));
            if (refusal.Failed)
            {
                return null;
            }

            int peers = refusal.Value;
            refusal = AcceptOnly(listener, SocketCalls.LocalAddress(peers));
            if (refusal.Failed)
            {
                SocketCalls.Close(peers);
                return null;
            }

            return new LoopbackPair(refusal.Value, peers);
        }
        finally
        {
            SocketCalls.Close(listener);
        }
    }

    public void Dispose()
    {
        // A reset leaves nothing behind that would wait for the other end.
        SocketCalls.Reset(Ours);
        SocketCalls.Reset(Peers);
    }

    private static SyscallResult AcceptOnly(int listener, IPEndPoint expected)
    {
        Patience patience = new();
        while (true)
        {
            SyscallResult accepted = SocketCalls.Accept(listener, out IPEndPoint? peer);
            if (!accepted.Failed && expected.Equals(peer))
            {
                return accepted;
            }

            if (!accepted.Failed)
            {
                // Another process of this machine has found the port.
                SocketCalls.Reset(accepted.Value);
            }
            else if (!accepted.WouldBlock)
            {
                return accepted;
            }

            if (!patience.Wait())
            {
                return SyscallResult.TimedOut;
            }
        }
    }
}

/// <summary>Waits in small steps, and not for ever: a loopback that is wedged must not hold up whoever asked.</summary>
internal sealed class Patience
{
    private readonly long _end = Environment.TickCount64 + MillisecondsMax;

    /// <summary>False: there was time enough.</summary>
    public bool Wait()
    {
        if (Environment.TickCount64 > _end)
        {
            return false;
        }

        Thread.Sleep(1);
        return true;
    }

    // What happens on the loopback happens at once; this is for a machine that is busy with something else.
    private const int MillisecondsMax = 2_000;
}
