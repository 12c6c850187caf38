using Aead.Pages;
using TestKit;
using Xunit;

namespace Aead.Tests.Pages;

public sealed class CopyBudgetTests
{
    private const int Block = TestPool.SlotBytes;

    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    public void Pools_exceed_it_together_and_at_the_very_byte(int blocksMax)
    {
        CopyBudget budget = new((long)blocksMax * Block, poolsExpected: 3);
        CopyPool[] pools = [new(Block, budget), new(Block, budget), new(Block, budget)];
        List<CopyBlock> blocks = [.. Enumerable.Range(0, blocksMax).Select(i => pools[i % 3].Rent(Block))];
        Assert.Equal((budget.BytesMax, false), (budget.BytesInUse, budget.IsExceeded));

        CopyBlock last = pools[0].Rent(1);
        Assert.True(budget.IsExceeded);
        last.TakeBack(1);
        Assert.False(budget.IsExceeded);
        blocks.ForEach(block => block.TakeBack(1));
        Assert.Equal((0L, false), (budget.BytesInUse, budget.IsExceeded));
    }

    /// <summary>Whatever was said in steps, what is in use decides.</summary>
    [Cases(200)]
    public void ItIsExceededWhenWhatIsOutIsMore(byte[] steps)
    {
        CopyBudget budget = new(8 * Block, poolsExpected: 2);
        CopyPool[] pools = [new(Block, budget), new(Block, budget)];
        Queue<CopyBlock> held = new();
        foreach (byte step in steps)
        {
            if (step % 3 == 0 && held.TryDequeue(out CopyBlock? block))
            {
                block.TakeBack(1);
            }
            else
            {
                held.Enqueue(pools[step & 1].Rent(step * (Block / 256)));
            }

            long bytes = held.Sum(each => (long)each.Bytes);
            Assert.Equal((bytes, bytes > budget.BytesMax), (budget.BytesInUse, budget.IsExceeded));
        }
    }

    [Fact]
    public void A_copy_goes_home_to_the_stage_that_made_it()
    {
        using PagePool pool = TestPool.Create(Delivery.Copy, slotsToFlip: 0, stages: 2);
        using DecryptStage one = pool.CreateStage();
        using DecryptStage other = pool.CreateStage();
        for (int i = 0; i < 100; i++)
        {
            one.Fill(seed: 1, 3000).Dispose();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            one.Fill(seed: 1, 3000).Dispose();
        }

        long reused = GC.GetAllocatedBytesForCurrentThread() - before;
        before = GC.GetAllocatedBytesForCurrentThread();
        other.Fill(seed: 1, 3000).Dispose();
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before > 4096, "The other stage took the first one's copy.");
        Assert.True(reused < 100 * 4096, "The stage's own copies were not used again.");
    }
}
