using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>
/// What one descriptor of an event loop is at the moment: a handshake, then a connection, then a lingering close. A successor takes over
/// descriptor and token (<see cref="DescriptorTable.Replace"/>) and must first try what it waits for: an edge may have gone to its predecessor.
/// </summary>
internal abstract class LoopSocket(EventLoop loop, int descriptor, ulong token)
{
    /// <summary>The loop that reports this descriptor's events, for its whole life.</summary>
    public EventLoop Loop { get; } = loop;

    /// <summary>The socket.</summary>
    public int Descriptor { get; } = descriptor;

    /// <summary>Tells this descriptor's life from an earlier one of the same number.</summary>
    public ulong Token { get; } = token;

    /// <summary>When <see cref="OnDeadline"/> is due, in <see cref="Environment.TickCount64"/>; owned by <see cref="DeadlineList"/>.</summary>
    internal long DeadlineTick { get; set; }

    /// <summary>Position in the loop's <see cref="DeadlineList"/>, -1 when in none.</summary>
    internal int DeadlineIndex { get; set; } = -1;

    /// <summary>
    /// The turn's events are known and not yet handled: a socket that is readable may let its read be made together with the others'. On the
    /// loop.
    /// </summary>
    public virtual void JoinTurn(HiddenReceive hidden)
    {
    }

    /// <summary>Readiness, on the loop. An edge: whatever is not done now must be remembered.</summary>
    public abstract void OnReady(in ReadyEvent ready);

    /// <summary>The deadline passed, on the loop. Reported once.</summary>
    public abstract void OnDeadline();

    /// <summary>Asked for by <see cref="EventLoop.Post"/>, on the loop.</summary>
    public virtual void OnPosted()
    {
    }

    /// <summary>Something here threw: give up this descriptor only.</summary>
    public abstract void OnFault(Exception fault);
}
