using Aead.Pages;
using TestKit.Pages;
using Xunit;

namespace Aead.Tests.Pages;

[Trait("Claim", "I1")]
public sealed class DecryptStageTests
{
    public static TheoryData<Delivery> EveryWay => [.. Enum.GetValues<Delivery>()];

    [Theory]
    [MemberData(nameof(EveryWay))]
    public void The_stage_stays_hidden_whatever_it_exposed(Delivery delivery)
    {
        using PagePool pool = TestPool.Create(delivery);
        using DecryptStage stage = pool.CreateStage();
        for (int batch = 1; batch <= 3; batch++)
        {
            TestPool.Bytes(batch, stage.Capacity).CopyTo(stage.Hidden);
            Assert.True(PageProbe.IsHidden(stage.ReaderAddress, stage.Capacity));
            using ExposedPages lease = stage.Expose(stage.Capacity, stage.Capacity)!;
            Assert.True(PageProbe.IsHidden(stage.ReaderAddress, stage.Capacity));
        }
    }

    [Theory]
    [MemberData(nameof(EveryWay))]
    public void The_next_batch_finds_zeros(Delivery delivery)
    {
        using PagePool pool = TestPool.Create(delivery);
        using DecryptStage stage = pool.CreateStage();
        using ExposedPages lease = stage.Fill(seed: 1, verified: 40_000, written: 60_000)!;
        Assert.Equal(-1, stage.Hidden.IndexOfAnyExcept((byte)0));
    }

    [Theory]
    [MemberData(nameof(EveryWay))]
    [Trait("Claim", "I3")]
    public void A_batch_of_which_nothing_verified_is_zeroed_and_gives_no_lease(Delivery delivery)
    {
        using PagePool pool = TestPool.Create(delivery);
        using DecryptStage stage = pool.CreateStage();
        Assert.Null(stage.Fill(seed: 1, verified: 0, written: stage.Capacity));
        Assert.Equal(-1, stage.Hidden.IndexOfAnyExcept((byte)0));
        Assert.Null(stage.Expose(0, 0));
        Assert.Equal((1, 0L), (pool.Status.SlotsInUse, pool.Status.CopyBytesInUse));
    }

    [Fact]
    public void Auto_flips_from_its_threshold_on()
    {
        using PagePool pool = TestPool.Create(Delivery.Auto, flipThreshold: 20_000);
        using DecryptStage stage = pool.CreateStage();
        using ExposedPages below = stage.Fill(seed: 1, 19_999);
        using ExposedPages at = stage.Fill(seed: 2, 20_000);
        Assert.False(below.HoldsSlot);
        Assert.True(at.HoldsSlot);
    }

    [Fact]
    public void Auto_never_flips_by_default()
    {
        using PagePool pool = PagePool.Create(new PagePolicy(), stages: 1);
        using DecryptStage stage = pool.CreateStage();
        using ExposedPages lease = stage.Fill(seed: 1, stage.Capacity);
        Assert.False(lease.HoldsSlot);
    }

    [Fact]
    public void A_batch_that_finds_no_slot_is_copied_and_the_next_flips_again()
    {
        using PagePool pool = TestPool.Create(Delivery.Flip, slotsToFlip: 1);
        using DecryptStage stage = pool.CreateStage();
        ExposedPages flipped = stage.Fill(seed: 1, 3000);
        using ExposedPages copied = stage.Fill(seed: 2, 3000);
        Assert.True(flipped.HoldsSlot);
        Assert.False(copied.HoldsSlot);
        Assert.Equal(TestPool.Bytes(2, 3000), copied.GetSpan().ToArray());

        flipped.Dispose();
        using ExposedPages again = stage.Fill(seed: 3, 3000);
        Assert.True(again.HoldsSlot);
    }

    [Fact]
    public void Lengths_that_cannot_be_are_refused()
    {
        using PagePool pool = TestPool.Create(Delivery.Copy);
        using DecryptStage stage = pool.CreateStage();
        Assert.Throws<ArgumentOutOfRangeException>(() => stage.Expose(2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stage.Expose(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stage.Expose(0, stage.Capacity + 1));
    }

    [Fact]
    public void Disposing_gives_the_slot_back_zeroed_and_once()
    {
        using PagePool pool = TestPool.Create(Delivery.Copy, slotsToFlip: 0);
        DecryptStage stage = pool.CreateStage();
        TestPool.Bytes(1, stage.Capacity).CopyTo(stage.Hidden);
        stage.Dispose();
        stage.Dispose();
        Assert.Throws<ObjectDisposedException>(() => stage.Hidden.Length);
        Assert.Equal(0, pool.Status.SlotsInUse);

        using DecryptStage next = pool.CreateStage();
        Assert.Equal(-1, next.Hidden.IndexOfAnyExcept((byte)0));
    }
}
