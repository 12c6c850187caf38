using Aead.Pages;
using Xunit;

namespace Aead.Tests.Pages;

public sealed class LockPlanTests
{
    private const int SlotBytes = PagePool.SlotBytes;
    private const long Mebibyte = 1L << 20;

    private static readonly PagePolicy Flip = new() { Delivery = Delivery.Flip };

    [Fact]
    public void Enough_room_means_the_bound_as_asked_all_locked_and_no_notice() =>
        Assert.Equal(new LockPlan(1024, 1024, Notice: null), Make(Flip, stages: 2, lockable: 256 * Mebibyte));

    [Fact]
    public void Too_little_room_shrinks_the_bound_and_tells_the_remedy()
    {
        LockPlan plan = Make(Flip, stages: 2, lockable: 8 * Mebibyte);
        Assert.Equal((32, 32), (plan.SlotsMax, plan.SlotsLocked));
        Assert.Contains("bounded to 8 MiB instead of 256 MiB", plan.Notice, StringComparison.Ordinal);
        AssertRemedy("LimitMEMLOCK=256M", "ulimit -l 262144", "memlock=268435456", plan.Notice!);
    }

    [Fact]
    public void No_room_for_the_stages_leaves_them_unlocked_and_says_so()
    {
        LockPlan plan = Make(Flip, stages: 4, lockable: 3 * SlotBytes);
        Assert.Equal((4, 3), (plan.SlotsMax, plan.SlotsLocked));
        Assert.Contains("1 of 4 decrypt slots are not locked", plan.Notice, StringComparison.Ordinal);
        Assert.Contains("LIMIT", plan.Notice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_that_never_flips_asks_for_the_stages_alone()
    {
        PagePolicy copy = Flip with { Delivery = Delivery.Copy };
        PagePolicy never = Flip with { Delivery = Delivery.Auto };
        Assert.Equal(new LockPlan(2, 2, Notice: null), Make(copy, stages: 2, lockable: Mebibyte));
        Assert.Equal(new LockPlan(2, 2, Notice: null), Make(never, stages: 2, lockable: Mebibyte));
    }

    [Theory]
    [InlineData(2, 4 * Mebibyte - SlotBytes, "4 MiB", "LimitMEMLOCK=4M")]
    [InlineData(20, 4 * Mebibyte, "5 MiB", "LimitMEMLOCK=5M")]
    public void Required_refuses_below_its_minimum_and_below_the_stages(
        int stages, long lockable, string need, string remedy)
    {
        PagePolicy required = Flip with { Locking = Locking.Required };
        var refused = Assert.Throws<PagePoolException>(() => Make(required, stages, lockable));
        Assert.Contains(need, refused.Message, StringComparison.Ordinal);
        Assert.Contains("LIMIT", refused.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Required_accepts_its_minimum()
    {
        PagePolicy required = Flip with { Locking = Locking.Required };
        Assert.Equal(16, Make(required, stages: 2, lockable: 4 * Mebibyte).SlotsLocked);
    }

    [Fact]
    public void What_may_be_locked_is_found_to_the_slot()
    {
        long wanted = 4 * SlotBytes;
        Assert.Equal(wanted, LockPlan.LockableBytes(wanted, SlotBytes));
        Assert.StartsWith("RLIMIT_MEMLOCK is ", LockPlan.LimitInForce(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1L << 20, "1 MiB")]
    [InlineData(3L << 20, "3 MiB")]
    [InlineData(1536L << 10, "1536 KiB")]
    [InlineData(512L << 10, "512 KiB")]
    [InlineData(0L, "0 KiB")]
    public void Sizes_are_told_in_the_largest_unit_that_is_exact(long bytes, string words) => Assert.Equal(words, LockPlan.Size(bytes));

    [Fact]
    public void What_cannot_be_pinned_is_told_with_the_limit_and_the_remedy()
    {
        PagePoolException refused = PagePoolException.NotPinned(8 * Mebibyte, "ENOMEM");
        Assert.True(refused.IsPinLimit);
        Assert.StartsWith("8 MiB of pages cannot be pinned: ENOMEM; RLIMIT_MEMLOCK is ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("already counts.", refused.Message, StringComparison.Ordinal);
        AssertRemedy("LimitMEMLOCK=8M", "ulimit -l 8192", "memlock=8388608", refused.Message);
    }

    [Fact]
    public void Required_locking_asks_for_its_minimum_and_best_effort_too()
    {
        Assert.Equal(4 * Mebibyte, LockPlan.BytesWanted(Flip with { BytesMax = Mebibyte }, stages: 1, SlotBytes));
        Assert.Equal(8 * Mebibyte, LockPlan.BytesWanted(Flip with { BytesMax = 8 * Mebibyte }, stages: 1, SlotBytes));
    }

    private static LockPlan Make(PagePolicy policy, int stages, long lockable) =>
        LockPlan.Make(policy, stages, SlotBytes, lockable, limit: "LIMIT");

    private static void AssertRemedy(string systemd, string shell, string container, string message)
    {
        Assert.Contains(systemd, message, StringComparison.Ordinal);
        Assert.Contains(shell, message, StringComparison.Ordinal);
        Assert.Contains(container, message, StringComparison.Ordinal);
    }
}
