using System.Buffers;
using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.Transport;

[Trait("Claim", "C5")]
public class ZeroingMemoryPoolTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(BlockBytes)]
    [InlineData(BlockBytes + 1)]
    [InlineData(1 << 20)]
    public void What_was_written_is_zeroed_when_it_is_given_back(int length)
    {
        using ZeroingMemoryPool pool = new(new Blocks());
        IMemoryOwner<byte> owner = pool.Rent(length);
        Memory<byte> memory = owner.Memory;
        Assert.True(memory.Length >= length);
        memory.Span.Fill(0x5a);
        owner.Dispose();
        Assert.False(memory.Span.ContainsAnyExcept((byte)0));
        Assert.Throws<ObjectDisposedException>(() => owner.Memory);
    }

    [Fact]
    public void A_block_goes_back_once_and_to_where_it_came_from()
    {
        Blocks blocks = new();
        using ZeroingMemoryPool pool = new(blocks);
        IMemoryOwner<byte> first = pool.Rent();
        IMemoryOwner<byte> second = pool.Rent();
        Assert.False(first.Memory.Span.Overlaps(second.Memory.Span));
        Assert.Equal(2, blocks.Out);
        first.Dispose();
        first.Dispose();
        Assert.Equal(1, blocks.Out);
        second.Dispose();
        Assert.Equal(0, blocks.Out);
    }

    [Fact]
    public void Renting_allocates_nothing()
    {
        using ZeroingMemoryPool pool = new(new Blocks());
        RentAndReturn(pool, 1_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        RentAndReturn(pool, 100_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void RentAndReturn(ZeroingMemoryPool pool, int times)
    {
        for (int i = 0; i < times; i++)
        {
            IMemoryOwner<byte> first = pool.Rent();
            IMemoryOwner<byte> second = pool.Rent(BlockBytes);
            first.Dispose();
            second.Dispose();
        }
    }

    private const int BlockBytes = 4096;

    // As Kestrel's: blocks of one size, which are their own owners.
    private sealed class Blocks : MemoryPool<byte>
    {
        private readonly Stack<Block> _free = new();

        public int Out { get; private set; }

        public override int MaxBufferSize => BlockBytes;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            Out++;
            return _free.TryPop(out Block? block) ? block : new Block(this);
        }

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Block(Blocks pool) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory { get; } = new byte[BlockBytes];

            public void Dispose()
            {
                pool.Out--;
                pool._free.Push(this);
            }
        }
    }
}
