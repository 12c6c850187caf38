namespace Ktls.Transport;

/// <summary>
/// The handshakes of a listener that are under way, bounded. Without room, the oldest silent one goes: it cost nothing and is the least likely to
/// be genuine. A quarter of the room is kept for silent ones; with fewer, the oldest that has begun goes. Otherwise half-sent ClientHellos could
/// fill the room, and each newcomer would be shed first. Not thread-safe: the listener's lock guards it.
/// </summary>
internal sealed class HandshakesInFlight(int handshakesMax)
{
    private readonly int _silentKept = Math.Max(1, handshakesMax / 4);
    private readonly LinkedList<PendingHandshake> _silent = new();
    private readonly LinkedList<PendingHandshake> _spoken = new();

    /// <summary>How many are under way.</summary>
    public int Count => _silent.Count + _spoken.Count;

    /// <summary>Everyone.</summary>
    public IEnumerable<PendingHandshake> All => _silent.Concat(_spoken);

    /// <summary>Adds one, unless it is over already; answers the one that has to make room, if one has to.</summary>
    public PendingHandshake? Add(PendingHandshake handshake)
    {
        if (handshake.IsOver)
        {
            return null;
        }

        PendingHandshake? oldest = null;
        if (Count == handshakesMax)
        {
            oldest = (_silent.Count >= _silentKept ? _silent : _spoken).First!.Value;
            Remove(oldest);
        }

        handshake.Node = (handshake.HasSpoken ? _spoken : _silent).AddLast(handshake);
        return oldest;
    }

    /// <summary>Its first bytes have come.</summary>
    public void OnSpoken(PendingHandshake handshake)
    {
        handshake.HasSpoken = true;
        if (handshake.Node is { } node)
        {
            _silent.Remove(node);
            _spoken.AddLast(node);
        }
    }

    /// <summary>It ended, or has to.</summary>
    public static void Remove(PendingHandshake handshake)
    {
        if (handshake.Node is { } node)
        {
            node.List!.Remove(node);
            handshake.Node = null;
        }
    }
}
