using System.Numerics;
using System.Security.Cryptography;

namespace Aead.Pages;

// Ordinary memory for verified bytes only, of one stage: threads that decrypt share no lock for it. Owned by the
// pool while free, by an exposed lease while out. Blocks come in powers of two so that a returned block fits the
// next batch of its kind, are zeroed when they come back, and are reused first-in first-out: a stale span sees
// zeros for as long as possible.
internal sealed class CopyPool
{
    private readonly CopyBudget _budget;
    private readonly Queue<CopyBlock>[] _free;
    private readonly Lock _lock = new();
    private long _cachedBytes;
    private long _bytesInUse;
    private long _bytesTold;

    /// <param name="blockBytesMax">The largest block, a power of two.</param>
    /// <param name="budget">What it may have out together with others.</param>
    internal CopyPool(int blockBytesMax, CopyBudget budget)
    {
        _budget = budget;
        _free = new Queue<CopyBlock>[ClassOf(blockBytesMax) + 1];
        for (int i = 0; i < _free.Length; i++)
        {
            _free[i] = new Queue<CopyBlock>();
        }

        budget.Add(this);
    }

    /// <summary>Bytes of the blocks that are out.</summary>
    internal long BytesInUse => Volatile.Read(ref _bytesInUse);

    /// <summary>Bytes of the blocks kept for reuse.</summary>
    internal long BytesCached => Volatile.Read(ref _cachedBytes);

    /// <summary>
    /// A block with room for <paramref name="length"/> bytes. Always succeeds: the bytes are verified and
    /// must go somewhere.
    /// </summary>
    internal CopyBlock Rent(int length)
    {
        int sizeClass = ClassOf(length);
        CopyBlock? block;
        lock (_lock)
        {
            Queue<CopyBlock> free = _free[sizeClass];
            block = free.Count > RestingBlocks(sizeClass) ? free.Dequeue() : null;
            _cachedBytes -= block?.Bytes ?? 0;
            Count(BlockBytesMin << sizeClass);
        }

        return block ?? new CopyBlock(this, BlockBytesMin << sizeClass);
    }

    /// <summary>Zeroes the first <paramref name="used"/> bytes and takes the block back. From any thread.</summary>
    internal void Return(CopyBlock block, int used)
    {
        block.Retire(used);
        lock (_lock)
        {
            Count(-block.Bytes);
            int sizeClass = ClassOf(block.Bytes);
            bool isScarce = _free[sizeClass].Count < RestingBlocks(sizeClass) + SpareBlocks;
            if (!isScarce && _cachedBytes + block.Bytes > _budget.CachedBytesMax)
            {
                return;
            }

            _cachedBytes += block.Bytes;
            _free[sizeClass].Enqueue(block);
        }
    }

    private void Count(int bytes)
    {
        _bytesInUse += bytes;
        long untold = _bytesInUse - _bytesTold;
        if (Math.Abs(untold) > _budget.StepBytes)
        {
            _bytesTold += untold;
            _budget.Tell(untold);
        }
    }

    // So many newer blocks come back before one is lent again: a span kept by mistake sees zeros, and not the
    // next client's bytes, for that long. Few of the large ones, which would otherwise leave the processor's
    // cache between two uses, and fewer in a small pool.
    private int RestingBlocks(int sizeClass) =>
        Math.Clamp(_budget.RestingBytes / (BlockBytesMin << sizeClass), 2, 64);

    private static int ClassOf(int length)
    {
        uint block = BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, BlockBytesMin));
        return BitOperations.Log2(block / BlockBytesMin);
    }

    // Beside those that rest, so that one is ready whenever one comes back.
    private const int SpareBlocks = 4;

    // Below this the block's own header and queue entry would weigh more than what a smaller block saves.
    private const int BlockBytesMin = 512;
}

/// <summary>One block: a pinned array, so that a consumer's pin is an address and costs no handle.</summary>
internal sealed class CopyBlock
{
    private readonly CopyPool _home;
    private readonly byte[] _array;
    private long _generation;

    internal CopyBlock(CopyPool home, int bytes)
    {
        _home = home;
        _array = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
    }

    internal int Bytes => _array.Length;

    /// <summary>Counts how often the block came back.</summary>
    internal long Generation => Volatile.Read(ref _generation);

    /// <summary>
    /// The first <paramref name="length"/> bytes, for the lease that was made at
    /// <paramref name="generation"/>.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The block came back since.</exception>
    internal Span<byte> View(long generation, int length)
    {
        ObjectDisposedException.ThrowIf(generation != Generation, typeof(ExposedPages));
        return _array.AsSpan(0, length);
    }

    /// <summary>The lease on the block ended: zeroes it and gives it back.</summary>
    /// <param name="used">Bytes from the start that may not be zero.</param>
    internal void TakeBack(int used) => _home.Return(this, used);

    internal void Retire(int used)
    {
        Interlocked.Increment(ref _generation);
        CryptographicOperations.ZeroMemory(_array.AsSpan(0, used));
    }
}
