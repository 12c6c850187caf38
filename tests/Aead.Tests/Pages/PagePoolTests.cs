using Aead.Pages;
using Xunit;

namespace Aead.Tests.Pages;

public sealed class PagePoolTests
{
    private const int SlotBytes = TestPool.SlotBytes;

    [Fact]
    public void A_pool_starts_with_one_map_and_grows_by_maps_up_to_its_bound()
    {
        using PagePool pool = TestPool.Create(Delivery.Flip, slotsToFlip: 19);
        using DecryptStage stage = pool.CreateStage();
        Assert.Equal((20, 16, 1), Slots(pool));

        List<ExposedPages> leases = [.. Enumerable.Range(0, 15).Select(seed => stage.Fill(seed, 100))];
        Assert.Equal((20, 16, 16), Slots(pool));
        leases.AddRange(Enumerable.Range(15, 4).Select(seed => stage.Fill(seed, 100)));
        Assert.Equal((20, 20, 20), Slots(pool));
        Assert.Equal(20L * SlotBytes, pool.Status.BytesLocked);
        Assert.All(leases, lease => Assert.True(lease.HoldsSlot));

        leases.ForEach(lease => lease.Dispose());
        Assert.Equal((20, 20, 1), Slots(pool));
    }

    [Fact]
    public void Slots_come_round_first_in_first_out()
    {
        using PagePool pool = TestPool.Create(Delivery.Flip, slotsToFlip: 3);
        using DecryptStage stage = pool.CreateStage();
        var order = new List<nint>();
        for (int turn = 0; turn < 8; turn++)
        {
            using ExposedPages lease = stage.Fill(turn, 100);
            order.Add(TestPool.AddressOf(lease));
        }

        Assert.Equal(4, order.Distinct().Count());
        Assert.Equal(order[..4], order[4..]);
    }

    [Fact]
    public void The_slots_of_stages_not_yet_made_are_not_lent()
    {
        using PagePool pool = TestPool.Create(Delivery.Flip, slotsToFlip: 1, stages: 3);
        using DecryptStage first = pool.CreateStage();
        using ExposedPages flipped = first.Fill(seed: 1, 100);
        using ExposedPages copied = first.Fill(seed: 2, 100);
        Assert.Equal((true, false), (flipped.HoldsSlot, copied.HoldsSlot));

        using DecryptStage second = pool.CreateStage();
        using DecryptStage third = pool.CreateStage();
        Assert.Contains("3 stages", Assert.Throws<InvalidOperationException>(pool.CreateStage).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_stages_than_one_map_holds_are_all_there()
    {
        using PagePool pool = TestPool.Create(Delivery.Copy, slotsToFlip: 0, stages: 17);
        List<DecryptStage> stages = [.. Enumerable.Range(0, 17).Select(_ => pool.CreateStage())];
        Assert.Equal((17, 17, 17), Slots(pool));
        stages.ForEach(stage => stage.Dispose());
    }

    [Fact]
    public void Copies_are_handed_out_over_their_bound_and_the_pool_says_so()
    {
        // Two slots' worth of copies; each batch takes one of 64 KiB.
        using PagePool pool = TestPool.Create(Delivery.Copy, slotsToFlip: 1);
        using DecryptStage stage = pool.CreateStage();
        var leases = new Stack<ExposedPages>();
        for (int batch = 1; batch <= 9; batch++)
        {
            leases.Push(stage.Fill(batch, 64 << 10));
            Assert.False(pool.IsUnderPressure);
            Assert.Equal(batch > 8, pool.IsOverBudget);
        }

        Assert.Equal(9L << 16, pool.Status.CopyBytesInUse);
        while (leases.TryPop(out ExposedPages? lease))
        {
            lease.Dispose();
        }

        Assert.Equal((false, false), (pool.IsUnderPressure, pool.IsOverBudget));
        Assert.Equal(0, pool.Status.CopyBytesInUse);
    }

    [Fact]
    public void Few_slots_left_to_flip_are_pressure_but_no_overrun()
    {
        using PagePool pool = TestPool.Create(Delivery.Flip, slotsToFlip: 4);
        using DecryptStage stage = pool.CreateStage();
        List<ExposedPages> leases = [.. Enumerable.Range(0, 3).Select(seed => stage.Fill(seed, 100))];
        Assert.False(pool.IsUnderPressure);
        leases.Add(stage.Fill(3, 100));
        Assert.True(pool.IsUnderPressure);
        Assert.False(pool.IsOverBudget);
        leases.ForEach(lease => lease.Dispose());
    }

    [Fact]
    public void A_pool_with_something_out_refuses_to_unmap()
    {
        PagePool pool = TestPool.Create(Delivery.Flip);
        DecryptStage stage = pool.CreateStage();
        ExposedPages lease = stage.Fill(seed: 1, 100);
        stage.Dispose();
        InvalidOperationException refused = Assert.Throws<InvalidOperationException>(pool.Dispose);
        Assert.Contains("0 stages and 1 leases", refused.Message, StringComparison.Ordinal);
        Assert.Equal(TestPool.Bytes(1, 100), lease.GetSpan().ToArray());

        lease.Dispose();
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(pool.CreateStage);
    }

    [Fact]
    public void A_copy_may_outlive_the_pool()
    {
        PagePool pool = TestPool.Create(Delivery.Copy);
        DecryptStage stage = pool.CreateStage();
        ExposedPages lease = stage.Fill(seed: 1, 100);
        stage.Dispose();
        pool.Dispose();
        Assert.Equal(TestPool.Bytes(1, 100), lease.GetSpan().ToArray());
        lease.Dispose();
    }

    [Fact]
    public void A_bound_below_the_stages_is_refused_with_what_they_need()
    {
        var policy = new PagePolicy { BytesMax = 2 * SlotBytes - 1 };
        var refused = Assert.Throws<PagePoolException>(() => PagePool.Create(policy, stages: 2));
        Assert.Contains("need 524288", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => PagePool.Create(new PagePolicy(), stages: 0));
    }

    private static (int Max, int Mapped, int InUse) Slots(PagePool pool) =>
        (pool.Status.SlotsMax, pool.Status.SlotsMapped, pool.Status.SlotsInUse);
}
