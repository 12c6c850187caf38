using System.Buffers;
using System.Security.Cryptography;

namespace Ktls.Transport;

// Kestrel keeps requests and responses in blocks of its connection's pool and gives them back as they are: what a client said would stay
// readable long after it has gone. Pipes take what is larger than a pool's blocks from ArrayPool.Shared, which overwrites nothing either, so
// this pool takes every size.

/// <summary>Memory that is overwritten before it goes back where it came from.</summary>
/// <param name="blocks">Where blocks of the usual size come from; disposed with this.</param>
internal sealed class ZeroingMemoryPool(MemoryPool<byte> blocks) : MemoryPool<byte>
{
    public override int MaxBufferSize => Array.MaxLength;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => minBufferSize <= blocks.MaxBufferSize
        ? new Block(blocks.Rent(minBufferSize))
        : new Large(minBufferSize);

    protected override void Dispose(bool disposing) => blocks.Dispose();

    private sealed class Block(IMemoryOwner<byte> block) : IMemoryOwner<byte>
    {
        private IMemoryOwner<byte>? _block = block;

        public Memory<byte> Memory => (_block ?? throw new ObjectDisposedException(nameof(IMemoryOwner<byte>))).Memory;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _block, null) is { } block)
            {
                CryptographicOperations.ZeroMemory(block.Memory.Span);
                block.Dispose();
            }
        }
    }

    // Rare, and often on the large object heap, which nothing moves; pinned so that the collector leaves no copy behind in any case.
    private sealed class Large(int length) : IMemoryOwner<byte>
    {
        private byte[]? _array = GC.AllocateUninitializedArray<byte>(length, pinned: true);

        public Memory<byte> Memory => _array ?? throw new ObjectDisposedException(nameof(IMemoryOwner<byte>));

        public void Dispose() => CryptographicOperations.ZeroMemory(Interlocked.Exchange(ref _array, null));
    }
}
