using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>
/// Ranges of blocks on their way to the socket, in order. Holds a reference to the block of every piece until the kernel has taken it.
/// Not thread-safe: its owner's lock guards it.
/// </summary>
internal sealed class OutgoingPieces
{
    private Piece[] _pieces = new Piece[2];
    private int _head;
    private int _count;

    /// <summary>Bytes not yet removed.</summary>
    public int Bytes { get; private set; }

    /// <summary>Adds a range of a block and takes a reference of its own.</summary>
    public void Enqueue(OutgoingBlock block, int start, int length)
    {
        if (length == 0)
        {
            return;
        }

        Bytes += length;
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

    /// <summary>The first pieces, as many as one send takes; valid until the calling thread gathers again.</summary>
    /// <param name="bytesMax">How many bytes of them.</param>
    /// <param name="asked">How many bytes they are.</param>
    public ReadOnlySpan<ArraySegment<byte>> Gather(long bytesMax, out int asked)
    {
        ArraySegment<byte>[] gathered = _gathered ??= new ArraySegment<byte>[SocketCalls.PiecesMax];
        int count = 0;
        asked = 0;
        while (count < Math.Min(_count, gathered.Length) && asked < bytesMax)
        {
            ref Piece piece = ref _pieces[(_head + count) % _pieces.Length];
            int length = (int)Math.Min(piece.Length, bytesMax - asked);
            gathered[count++] = new ArraySegment<byte>(piece.Block!.Buffer, piece.Start, length);
            asked += length;
        }

        return gathered.AsSpan(0, count);
    }

    /// <summary>The kernel has taken so many bytes, or nobody wants them any more.</summary>
    public void Remove(int bytes)
    {
        Bytes -= bytes;
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
