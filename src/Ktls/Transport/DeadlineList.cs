namespace Ktls.Transport;

/// <summary>
/// The sockets of a loop that wait for a deadline: handshakes and lingering closes, both bounded. Checked by a walk at every tick, which for
/// a few thousand entries is cheaper than keeping them sorted. Thread-safe.
/// </summary>
internal sealed class DeadlineList
{
    private readonly Lock _gate = new();
    private readonly List<LoopSocket> _waiting = [];

    /// <summary>True when nothing waits, and the loop may sleep without end.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count == 0;
            }
        }
    }

    /// <summary>Sets or moves a deadline; true when the list was empty before.</summary>
    public bool Set(LoopSocket socket, long tick)
    {
        lock (_gate)
        {
            socket.DeadlineTick = tick;
            if (socket.DeadlineIndex >= 0)
            {
                return false;
            }

            socket.DeadlineIndex = _waiting.Count;
            _waiting.Add(socket);
            return _waiting.Count == 1;
        }
    }

    /// <summary>Takes a socket out; harmless when it is in no list.</summary>
    public void Clear(LoopSocket socket)
    {
        lock (_gate)
        {
            RemoveAt(socket.DeadlineIndex);
        }
    }

    /// <summary>Moves those that are due to <paramref name="due"/>.</summary>
    public void TakeDue(long now, List<LoopSocket> due)
    {
        lock (_gate)
        {
            for (int i = _waiting.Count - 1; i >= 0; i--)
            {
                if (_waiting[i].DeadlineTick <= now)
                {
                    due.Add(_waiting[i]);
                    RemoveAt(i);
                }
            }
        }
    }

    private void RemoveAt(int index)
    {
        if (index < 0)
        {
            return;
        }

        _waiting[index].DeadlineIndex = -1;
        LoopSocket last = _waiting[^1];
        _waiting.RemoveAt(_waiting.Count - 1);
        if (last.DeadlineIndex >= 0)
        {
            last.DeadlineIndex = index;
            _waiting[index] = last;
        }
    }
}
