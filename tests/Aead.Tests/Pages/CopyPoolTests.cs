using Aead.Pages;
using FsCheck.Xunit;
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

    [Property]
    public void EveryBlockHasRoomAndAtMostTwiceOfIt(ushort length)
    {
        int block = NewPool().Rent(length).Bytes;
        Assert.InRange(block, length, Math.Max(512, 2 * length));
    }

    [Fact]
    public void A_block_comes_back_zeroed_and_first_in_first_out()
    {
        CopyPool pool = NewPool();
        CopyBlock first = pool.Rent(600);
        CopyBlock second = pool.Rent(600);
        Span<byte> kept = first.View(first.Generation, 600);
        kept.Fill(1);
        pool.Return(first, used: 600);
        pool.Return(second, used: 600);
        Assert.Equal(new byte[600], kept.ToArray());
        Assert.Equal(2048, pool.BytesCached);

        Assert.Same(first, pool.Rent(1000));
        Assert.Same(second, pool.Rent(1000));
    }

    [Fact]
    public void No_more_is_kept_for_reuse_than_an_eighth_of_the_bound()
    {
        var pool = new CopyPool(BlockBytesMax, bytesMax: 8 * BlockBytesMax);
        List<CopyBlock> blocks = [.. Enumerable.Range(0, 3).Select(_ => pool.Rent(BlockBytesMax))];
        blocks.ForEach(block => pool.Return(block, used: 1));
        Assert.Equal((0L, (long)BlockBytesMax), (pool.BytesInUse, pool.BytesCached));
    }

    [Fact]
    public void A_block_lent_again_refuses_its_former_generation()
    {
        CopyPool pool = NewPool();
        CopyBlock block = pool.Rent(600);
        long former = block.Generation;
        pool.Return(block, used: 600);
        Assert.Same(block, pool.Rent(600));
        Assert.Throws<ObjectDisposedException>(() => block.View(former, 600).Length);
    }

    private static CopyPool NewPool() => new(BlockBytesMax, bytesMax: 64 << 20);
}
