using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Ktls.Transport;

// Kestrel keeps requests and responses in blocks of its connection's pool and gives them back as they are: what a client said would stay
// readable long after it has gone. Pipes take what is larger than a pool's blocks from ArrayPool.Shared, which overwrites nothing either, so
// this pool takes every size.

/// <summary>Memory that is overwritten before it goes back where it came from.</summary>
/// <param name="blocks">Where blocks of the usual size come from; disposed with this.</param>
internal sealed class ZeroingMemoryPool(MemoryPool<byte> blocks) : MemoryPool<byte>
{
    // As many as were ever out at once: a few words each, where an allocation for each rent would be work for the collector.
    private readonly ConcurrentQueue<Block> _spare = new();

    public override int MaxBufferSize => Array.MaxLength;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        if (minBufferSize > blocks.MaxBufferSize)
        {
            return new Large(minBufferSize);
        }

        Block block = _spare.TryDequeue(out Block? spare) ? spare : new Block(_spare);
        block.Hold(blocks.Rent(minBufferSize));
        return block;
    }

    protected override void Dispose(bool disposing) => blocks.Dispose();

    private sealed class Block(ConcurrentQueue<Block> spare) : IMemoryOwner<byte>
    {
        private IMemoryOwner<byte>? _held;

        public Memory<byte> Memory => (_held ?? throw new ObjectDisposedException(nameof(IMemoryOwner<byte>))).Memory;

        public void Hold(IMemoryOwner<byte> held) => _held = held;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _held, null) is { } held)
            {
                CryptographicOperations.ZeroMemory(held.Memory.Span);
                held.Dispose();
                spare.Enqueue(this);
            }
        }
    }

    // Rare: dozens of proxied requests over HTTP/1.1 and HTTP/2 asked for none. Pinned so that the collector leaves no copy behind.
    private sealed class Large(int length) : IMemoryOwner<byte>
    {
        private byte[]? _array = GC.AllocateUninitializedArray<byte>(length, pinned: true);

        public Memory<byte> Memory => _array ?? throw new ObjectDisposedException(nameof(IMemoryOwner<byte>));

        public void Dispose() => CryptographicOperations.ZeroMemory(Interlocked.Exchange(ref _array, null));
    }
}
