namespace Ktls.Transport;

/// <summary>
/// The handshakes of a listener that are under way, bounded. When there is no room, the oldest of those that have sent nothing yet goes, because
/// it cost nothing and is the least likely to be genuine; only without such a one the oldest of all. Not thread-safe: the listener's lock
/// guards it.
/// </summary>
internal sealed class HandshakesInFlight(int handshakesMax)
{
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

        handshake.Node = (handshake.HasSpoken ? _spoken : _silent).AddLast(handshake);
        if (Count <= handshakesMax)
        {
            return null;
        }

        PendingHandshake oldest = (_silent.First ?? _spoken.First)!.Value;
        Remove(oldest);
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
