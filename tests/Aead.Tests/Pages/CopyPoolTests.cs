using Aead.Pages;
using TestKit;
using Xunit;

namespace Aead.Tests.Pages;

public sealed class CopyPoolTests
{
    private const int BlockBytesMax = TestPool.SlotBytes;

    [Theory]
    [InlineData(1, 512)]
    [InlineData(512, 512)]
    [InlineData(513, 1024)]
    [InlineData(16 << 10, 16 << 10)]
    [InlineData((16 << 10) + 1, 32 << 10)]
    [InlineData(BlockBytesMax, BlockBytesMax)]
    public void A_block_is_the_next_power_of_two(int length, int block) =>
        Assert.Equal(block, NewPool().Rent(length).Bytes);

    [Cases(10_000)]
    public void EveryBlockHasRoomAndAtMostTwiceOfIt(ushort length)
    {
        int block = NewPool().Rent(length).Bytes;
        Assert.InRange(block, length, Math.Max(512, 2 * length));
    }

    [Fact]
    public void A_block_comes_back_zeroed_and_first_in_first_out()
    {
        CopyPool pool = NewPool();
        List<CopyBlock> blocks = [.. Enumerable.Range(0, Resting + 2).Select(_ => pool.Rent(600))];
        Span<byte> kept = blocks[0].View(blocks[0].Generation, 600);
        kept.Fill(1);
        blocks.ForEach(block => pool.Return(block, used: 600));
        Assert.Equal(new byte[600], kept.ToArray());
        Assert.Equal(1024 * (Resting + 2), pool.BytesCached);

        Assert.Same(blocks[0], pool.Rent(1000));
        Assert.Same(blocks[1], pool.Rent(1000));
        Assert.Equal(1024 * Resting, pool.BytesCached);
    }

    [Theory]
    [InlineData(512, 64)]
    [InlineData(16 << 10, 32)]
    [InlineData(BlockBytesMax, 2)]
    public void A_block_rests_while_newer_ones_come_back(int bytes, int resting)
    {
        CopyPool pool = NewPool();
        List<CopyBlock> blocks = [.. Enumerable.Range(0, resting + 1).Select(_ => pool.Rent(bytes))];
        blocks.Take(resting).ToList().ForEach(block => pool.Return(block, used: 1));
        Assert.DoesNotContain(pool.Rent(bytes), blocks);
        pool.Return(blocks[resting], used: 1);
        Assert.Same(blocks[0], pool.Rent(bytes));
    }

    [Fact]
    public void No_more_is_kept_for_reuse_than_an_eighth_of_the_bound_or_what_rests()
    {
        var pool = new CopyPool(BlockBytesMax, new CopyBudget(64 * BlockBytesMax, poolsExpected: 1));
        List<CopyBlock> blocks = [.. Enumerable.Range(0, 20).Select(_ => pool.Rent(BlockBytesMax))];
        blocks.ForEach(block => pool.Return(block, used: 1));
        Assert.Equal((0L, 8L * BlockBytesMax), (pool.BytesInUse, pool.BytesCached));

        var small = new CopyPool(BlockBytesMax, new CopyBudget(4 * BlockBytesMax, poolsExpected: 1));
        blocks = [.. Enumerable.Range(0, 20).Select(_ => small.Rent(BlockBytesMax))];
        blocks.ForEach(block => small.Return(block, used: 1));
        Assert.Equal((0L, 6L * BlockBytesMax), (small.BytesInUse, small.BytesCached));
    }

    [Fact]
    public void A_block_that_came_back_refuses_its_former_generation()
    {
        CopyPool pool = NewPool();
        CopyBlock block = pool.Rent(600);
        long former = block.Generation;
        pool.Return(block, used: 600);
        Assert.NotEqual(former, block.Generation);
        Assert.Throws<ObjectDisposedException>(() => block.View(former, 600).Length);
    }

    // For blocks of a kibibyte.
    private const int Resting = 64;

    private static CopyPool NewPool() => new(BlockBytesMax, new CopyBudget(64 << 20, poolsExpected: 1));
}
