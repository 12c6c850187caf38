namespace Ktls.Transport;

/// <summary>
/// How much one socket may bring in one turn of its loop: an upload or a download on a fast network always finds more, and the loop's other
/// connections want their turn. Whoever has spent it posts itself and goes on in the next turn. Guarded by its owner.
/// </summary>
internal struct TurnBudget(EventLoop loop)
{
    private int _turn;
    private int _bytes;

    /// <summary>Enough for this turn. Never off the loop, where nobody waits.</summary>
    public bool IsSpent
    {
        get
        {
            if (EventLoop.Current != loop)
            {
                return false;
            }

            if (_turn != loop.Turn)
            {
                (_turn, _bytes) = (loop.Turn, 0);
            }

            return _bytes >= BytesMax;
        }
    }

    /// <summary>So many bytes were brought.</summary>
    public void Spend(int bytes) => _bytes += bytes;

    private const int BytesMax = 1 << 20;
}
