namespace Aead.Pages;

/// <summary>
/// What the copy pools of all threads may have out together. Each pool counts for itself, and says here only how
/// far it has moved, in large steps, so that threads at work do not fight for one counter. Near the bound the
/// pools are asked. Thread-safe.
/// </summary>
/// <param name="bytesMax">The bound.</param>
/// <param name="poolsExpected">How many pools share what may be kept for reuse.</param>
internal sealed class CopyBudget(long bytesMax, int poolsExpected)
{
    private readonly Lock _lock = new();
    private volatile CopyPool[] _pools = [];
    private long _bytesTold;

    internal long BytesMax { get; } = bytesMax;

    /// <summary>
    /// Bytes each pool keeps for reuse: together what a busy moment cycles through. Beyond it the garbage
    /// collector takes blocks back, so a burst does not stay resident.
    /// </summary>
    internal long CachedBytesMax { get; } = bytesMax / 8 / poolsExpected;

    /// <summary>Bytes of each size that come back to a pool before one of them is lent again.</summary>
    internal int RestingBytes { get; } = (int)Math.Min(RestingBytesMax, bytesMax / 64) / poolsExpected;

    /// <summary>
    /// What a pool may have moved without a word: two of the largest batches, so that uploads do not speak all the time, or less where the
    /// bound is near.
    /// </summary>
    internal int StepBytes { get; } = (int)Math.Min(2 * PagePool.SlotBytes, bytesMax / 8 / poolsExpected);

    /// <summary>Bytes of the blocks that are out.</summary>
    internal long BytesInUse
    {
        get
        {
            long bytes = 0;
            foreach (CopyPool pool in _pools)
            {
                bytes += pool.BytesInUse;
            }

            return bytes;
        }
    }

    internal bool IsExceeded
    {
        get
        {
            long untoldMax = (long)StepBytes * _pools.Length;
            return Volatile.Read(ref _bytesTold) + untoldMax > BytesMax && BytesInUse > BytesMax;
        }
    }

    internal void Add(CopyPool pool)
    {
        lock (_lock)
        {
            _pools = [.. _pools, pool];
        }
    }

    /// <summary>A pool has so many bytes more (or fewer) out than it said before.</summary>
    internal void Tell(long bytes) => Interlocked.Add(ref _bytesTold, bytes);

    private const int RestingBytesMax = 512 << 10;
}
