using System.Security.Cryptography;

namespace Ktls.Transport;

/// <summary>
/// Memory in which records are built and from which they are sent. Counted: the sink that fills it and every piece queued for sending hold
/// one reference each; the last one gives it back.
/// </summary>
internal sealed class OutgoingBlock(OutgoingBlockPool pool, int length)
{
    private int _references;
    private int _plaintextBytes;

    /// <summary>Pinned for the block's whole life, because the kernel is given its address.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(length, pinned: true);

    /// <summary>One more holder.</summary>
    public void AddReference() => Interlocked.Increment(ref _references);

    /// <summary>
    /// The first bytes are plaintext and stay so: they are overwritten before anybody else gets the block. To be called before its release.
    /// </summary>
    public void MarkPlaintext(int bytes) => _plaintextBytes = bytes;

    /// <summary>One holder less.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            Zero(0, _plaintextBytes);
            _plaintextBytes = 0;
            pool.Return(this);
        }
    }

    /// <summary>Overwrites plaintext that will never be encrypted.</summary>
    public void Zero(int start, int count) => CryptographicOperations.ZeroMemory(Buffer.AsSpan(start, count));
}

/// <summary>
/// Two sizes of blocks: one for a short answer, one for four full records. Each loop has a pool for its connections, so that loops share no
/// lock for it. Caches a bounded number; thread-safe, because not all is written on the loop.
/// </summary>
internal sealed class OutgoingBlockPool
{
    private readonly Lock _gate = new();
    private readonly Stack<OutgoingBlock> _small = new();
    private readonly Stack<OutgoingBlock> _large = new();

    /// <summary>A block with one reference, the caller's.</summary>
    public OutgoingBlock Rent(bool large)
    {
        OutgoingBlock? block;
        lock (_gate)
        {
            (large ? _large : _small).TryPop(out block);
        }

        block ??= new OutgoingBlock(this, large ? LargeLength : SmallLength);
        block.AddReference();
        return block;
    }

    /// <summary>Only for <see cref="OutgoingBlock.Release"/>.</summary>
    public void Return(OutgoingBlock block)
    {
        bool large = block.Buffer.Length == LargeLength;
        lock (_gate)
        {
            Stack<OutgoingBlock> free = large ? _large : _small;
            if (free.Count < (large ? LargeCachedMax : SmallCachedMax))
            {
                free.Push(block);
            }
        }
    }

    /// <summary>A short answer with its headers in one record.</summary>
    public const int SmallLength = 4096;

    /// <summary>Four full records with the widest header (13) and suffix (17).</summary>
    public const int LargeLength = 4 * (13 + 16384 + 17);

    // Free blocks kept for reuse: 4 MiB and 8 MiB at most, over all loops of a machine of up to 16 processors.
    private static readonly int SmallCachedMax = Math.Max(64, 1024 / TransportResources.LoopCount);
    private static readonly int LargeCachedMax = Math.Max(8, 128 / TransportResources.LoopCount);
}
