using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>How far a send came.</summary>
internal enum SendStatus
{
    /// <summary>Everything queued is with the kernel.</summary>
    Sent,

    /// <summary>The socket is full: wait for writability.</summary>
    Blocked,

    /// <summary>The connection is gone.</summary>
    Broken,
}

/// <summary>
/// Finished records on their way to the socket, in order. Holds a reference to the block of every piece until the kernel has taken it.
/// Not thread-safe: its owner's lock guards it.
/// </summary>
internal sealed class SendQueue(int descriptor)
{
    private readonly int _descriptor = descriptor;
    private Piece[] _pieces = new Piece[2];
    private int _head;
    private int _count;

    /// <summary>Bytes not yet taken by the kernel.</summary>
    public int QueuedBytes { get; private set; }

    /// <summary>Queues a range of a block; the queue takes a reference of its own.</summary>
    public void Enqueue(OutgoingBlock block, int start, int length)
    {
        if (length == 0)
        {
            return;
        }

        QueuedBytes += length;
        if (_count > 0)
        {
            ref Piece last = ref _pieces[(_head + _count - 1) % _pieces.Length];
            if (last.Block == block && last.Start + last.Length == start)
            {
                last.Length += length;
                return;
            }
        }

        if (_count == _pieces.Length)
        {
            Grow();
        }

        block.AddReference();
        _pieces[(_head + _count) % _pieces.Length] = new Piece { Block = block, Start = start, Length = length };
        _count++;
    }

    /// <summary>Sends until the queue is empty or the socket is full.</summary>
    public SendStatus Send(out SyscallResult failure)
    {
        failure = default;
        while (_count > 0)
        {
            SyscallResult sent = SocketCalls.Send(_descriptor, Gather(out int asked));
            if (sent.Failed)
            {
                failure = sent;
                return sent.WouldBlock ? SendStatus.Blocked : SendStatus.Broken;
            }

            Remove(sent.Value);
            if (sent.Value < asked)
            {
                return SendStatus.Blocked;
            }
        }

        return SendStatus.Sent;
    }

    /// <summary>Drops what is left and gives the blocks back.</summary>
    public void Clear() => Remove(QueuedBytes);

    private ReadOnlySpan<ArraySegment<byte>> Gather(out int asked)
    {
        ArraySegment<byte>[] gathered = _gathered ??= new ArraySegment<byte>[SocketCalls.PiecesMax];
        int count = Math.Min(_count, gathered.Length);
        asked = 0;
        for (int i = 0; i < count; i++)
        {
            ref Piece piece = ref _pieces[(_head + i) % _pieces.Length];
            gathered[i] = new ArraySegment<byte>(piece.Block!.Buffer, piece.Start, piece.Length);
            asked += piece.Length;
        }

        return gathered.AsSpan(0, count);
    }

    private void Remove(int bytes)
    {
        QueuedBytes -= bytes;
        while (bytes > 0)
        {
            ref Piece first = ref _pieces[_head];
            if (bytes < first.Length)
            {
                first.Start += bytes;
                first.Length -= bytes;
                return;
            }

            bytes -= first.Length;
            first.Block!.Release();
            first = default;
            _head = (_head + 1) % _pieces.Length;
            _count--;
        }
    }

    private void Grow()
    {
        Piece[] larger = new Piece[_pieces.Length * 2];
        for (int i = 0; i < _count; i++)
        {
            larger[i] = _pieces[(_head + i) % _pieces.Length];
        }

        (_pieces, _head) = (larger, 0);
    }

    [ThreadStatic]
    private static ArraySegment<byte>[]? _gathered;

    private struct Piece
    {
        public OutgoingBlock? Block;
        public int Start;
        public int Length;
    }
}
