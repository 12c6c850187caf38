using System.Buffers;

namespace Ktls.Transport;

/// <summary>Where a writer's bytes go: the open end of the block a sink fills. Guarded by the sink, called by its one writer.</summary>
internal interface IOutgoingRoom
{
    /// <summary>Bytes that can be added without a new block; less than none when the block is as good as full.</summary>
    int Room { get; }

    /// <summary>Room for the next bytes, at least <paramref name="wanted"/>.</summary>
    /// <param name="wanted">1 to 16 384.</param>
    /// <param name="large">Which size of block to begin with if there is none.</param>
    Memory<byte> RoomFor(int wanted, bool large);

    /// <summary>So many bytes of it were written.</summary>
    void Add(int bytes);
}

/// <summary>
/// The writer's half of a sink, the same for every record layer: hands out memory of any size, though no room is larger than a block, and
/// counts what is not flushed. For one writer at a time.
/// </summary>
internal sealed class WriterMemory(IOutgoingRoom room)
{
    private byte[]? _oversize;
    private bool _large;

    /// <summary>Bytes written since the last flush.</summary>
    public long UnflushedBytes { get; private set; }

    /// <summary>
    /// At least <paramref name="sizeHint"/> bytes and never none. What was handed out before is void, also when nothing was written to it.
    /// </summary>
    public Memory<byte> GetMemory(int sizeHint)
    {
        DropOversize();
        int wanted = Math.Max(sizeHint, 1);
        return wanted > RoomMax ? _oversize = ArrayPool<byte>.Shared.Rent(wanted) : RoomFor(wanted);
    }

    /// <summary>So many bytes of the memory handed out last were written.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It holds fewer.</exception>
    public void Advance(int bytes)
    {
        int held = _oversize?.Length ?? room.Room;
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)Math.Max(held, 0), nameof(bytes));
        UnflushedBytes += bytes;
        if (_oversize == null)
        {
            room.Add(bytes);
            return;
        }

        for (ReadOnlyMemory<byte> left = _oversize.AsMemory(0, bytes); !left.IsEmpty;)
        {
            Memory<byte> next = RoomFor(1);
            int count = Math.Min(next.Length, left.Length);
            left[..count].CopyTo(next);
            room.Add(count);
            left = left[count..];
        }

        DropOversize();
    }

    /// <summary>A flush begins: what was written so far counts no more, and tells the size of the next block.</summary>
    public void OnFlush()
    {
        _large = UnflushedBytes > SmallWriteMax;
        UnflushedBytes = 0;
    }

    /// <summary>Overwrites and gives back what no block holds.</summary>
    public void DropOversize()
    {
        if (_oversize is { } oversize)
        {
            _oversize = null;
            ArrayPool<byte>.Shared.Return(oversize, clearArray: true);
        }
    }

    private Memory<byte> RoomFor(int wanted) => room.RoomFor(wanted, _large || _oversize != null || wanted > SmallWriteMax);

    // A record's content, RFC 8446 §5.1: the most that any sink can offer in one piece.
    private const int RoomMax = Aead.Records.RecordHeader.PlaintextLengthMax;

    // A small block less the widest header (13) and suffix (17).
    private const int SmallWriteMax = OutgoingBlockPool.SmallLength - 13 - 17;
}
