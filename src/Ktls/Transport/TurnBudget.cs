namespace Ktls.Transport;

/// <summary>
/// How much one socket may bring in one turn of a loop: an upload or a download on a fast network always finds more, and the loop's other
/// connections want their turn. Whoever has spent it posts itself and goes on in the next turn. Guarded by its owner.
/// </summary>
internal struct TurnBudget
{
    private EventLoop? _loop;
    private int _turn;
    private int _bytes;

    /// <summary>Enough for this turn of the calling loop, be it the socket's own or another. Never off the loops, where nobody waits.</summary>
    public bool IsSpent
    {
        get
        {
            if (EventLoop.Current is not { } current)
            {
                return false;
            }

            if (_loop != current || _turn != current.Turn)
            {
                (_loop, _turn, _bytes) = (current, current.Turn, 0);
            }

            return _bytes >= BytesMax;
        }
    }

    /// <summary>So many bytes were brought.</summary>
    public void Spend(int bytes) => _bytes += bytes;

    private const int BytesMax = 1 << 20;
}
