using Aead.Pages;
using FsCheck;
using TestKit;
using TestKit.Pages;
using Xunit;

namespace Aead.Tests.Pages;

[Trait("Claim", "I3")]
public sealed class PinnedPagesTests : IDisposable
{
    private readonly PagePool _pool = PagePool.Create(new PagePolicy { BytesMax = 4 << 20 }, stages: 1);
    private readonly PinnedAlias _kernel = new();
    private readonly PinnedPages _pages;
    private int _wakes;

    public PinnedPagesTests() => _pages = PinnedPages.Create(_pool, _kernel, slots: 3, () => Interlocked.Increment(ref _wakes));

    public void Dispose()
    {
        _pages.Dispose();
        _kernel.Dispose();
        _pool.Dispose();
    }

    [Fact]
    [Trait("Claim", "I2")]
    public void Nobody_can_read_or_write_where_the_kernel_writes()
    {
        Assert.True(_pages.TryRent(out PinnedSlot? slot));
        _kernel.Write(slot.TargetAddress, TestPool.Bytes(1, slot.Bytes));
        Assert.True(PageProbe.IsHidden(slot.ReaderAddress, slot.Bytes));
        Assert.True(PageProbe.IsHidden(slot.TargetAddress, slot.Bytes));
        Assert.Equal("---p", Mappings.At(slot.TargetAddress).Access);
        Assert.True(PageProbe.RefusesWriting(slot.ReaderAddress, slot.Bytes));
        Settle(slot, 0);
    }

    [Fact]
    [Trait("Claim", "C5")]
    public void Every_mapping_of_the_pages_stays_out_of_dumps_and_children()
    {
        Assert.True(_pages.TryRent(out PinnedSlot? slot));
        foreach (nint address in (nint[])[slot.TargetAddress, slot.ReaderAddress])
        {
            Assert.Superset(new HashSet<string> { "dd", "dc" }, Mappings.At(address).Flags.ToHashSet());
        }

        Settle(slot, 0);
    }

    [Fact]
    public void A_verified_batch_is_exposed_read_only_and_all_behind_it_is_zero()
    {
        Assert.True(_pages.TryRent(out PinnedSlot? slot));
        _kernel.Write(slot.TargetAddress, TestPool.Bytes(1, slot.Bytes));
        _kernel.BeforeZero = (_, _) => Assert.True(PageProbe.IsHidden(slot.ReaderAddress, slot.Bytes), "Zeroed within sight.");

        using ExposedPages lease = Settle(slot, 100)!;
        Assert.True(lease.HoldsSlot);
        TestPool.AssertSame(TestPool.Bytes(1, 100), lease.GetSpan());
        byte[] expected = new byte[slot.Bytes];
        TestPool.Bytes(1, 100).CopyTo(expected, 0);
        Assert.Equal(expected, PageProbe.Read(slot.ReaderAddress, slot.Bytes));
        Assert.True(PageProbe.RefusesWriting(slot.ReaderAddress, slot.Bytes));
    }

    [Fact]
    public void Nothing_of_a_failed_read_is_left()
    {
        Assert.True(_pages.TryRent(out PinnedSlot? slot));
        _kernel.Write(slot.TargetAddress, TestPool.Bytes(1, slot.Bytes));
        Assert.Null(Settle(slot, 0));
        Assert.True(PageProbe.IsHidden(slot.ReaderAddress, slot.Bytes));
        Assert.Equal(new byte[slot.Bytes], _kernel.Read(slot.TargetAddress, slot.Bytes));
        Assert.Equal(3, _pages.SlotsFree);
    }

    [Fact]
    public void A_lease_that_ends_is_hidden_at_once_and_zeroed_by_the_loop()
    {
        ExposedPages lease = Lend(1, 5000, out PinnedSlot slot);
        lease.Dispose();
        Assert.True(PageProbe.IsHidden(slot.ReaderAddress, slot.Bytes));
        Assert.Equal(1, _wakes);
        Assert.Equal((2, 1), (_pages.SlotsFree, _pages.SlotsOut));

        _pages.Tidy();
        Assert.Equal(new byte[slot.Bytes], _kernel.Read(slot.TargetAddress, slot.Bytes));
        Assert.Equal((3, 0), (_pages.SlotsFree, _pages.SlotsOut));
        Assert.Throws<ObjectDisposedException>(() => lease.GetSpan().Length);
    }

    [Fact]
    public void The_last_slot_is_copied_out_and_never_lent()
    {
        using ExposedPages first = Lend(1, 10, out _);
        using ExposedPages second = Lend(2, 10, out _);
        using ExposedPages third = Lend(3, 10, out PinnedSlot slot);
        Assert.True(second.HoldsSlot);
        Assert.False(third.HoldsSlot);
        TestPool.AssertSame(TestPool.Bytes(3, 10), third.GetSpan());
        Assert.True(PageProbe.IsHidden(slot.ReaderAddress, slot.Bytes));
        Assert.Equal(new byte[slot.Bytes], _kernel.Read(slot.TargetAddress, slot.Bytes));
        Assert.Equal(1, _pages.SlotsFree);
    }

    [Fact]
    public void A_slot_that_came_back_unnoticed_is_found_before_a_batch_is_copied()
    {
        ExposedPages first = Lend(1, 10, out _);
        using ExposedPages second = Lend(2, 10, out _);
        first.Dispose();
        using ExposedPages third = Lend(3, 10, out _);
        Assert.True(third.HoldsSlot);
    }

    [Fact]
    public void A_slot_that_came_back_unnoticed_is_found_before_none_is_left_to_rent()
    {
        ExposedPages first = Lend(1, 10, out _);
        Assert.True(_pages.TryRent(out PinnedSlot? second));
        Assert.True(_pages.TryRent(out PinnedSlot? third));
        Assert.False(_pages.TryRent(out _));
        first.Dispose();
        Assert.True(_pages.TryRent(out PinnedSlot? again));
        foreach (PinnedSlot slot in (PinnedSlot[])[second, third, again])
        {
            Settle(slot, 0);
        }
    }

    [Fact]
    public void A_pin_keeps_the_slot_exposed_and_unzeroed_past_the_lease()
    {
        ExposedPages lease = Lend(1, 10, out PinnedSlot slot);
        System.Buffers.MemoryHandle pin = lease.Pin();
        lease.Dispose();
        _pages.Tidy();
        Assert.Equal(TestPool.Bytes(1, 10), PageProbe.Read(slot.ReaderAddress, 10));
        pin.Dispose();
        _pages.Tidy();
        Assert.Equal(0, _pages.SlotsOut);
    }

    [Fact]
    public void With_a_lease_out_disposing_leaves_the_pages_to_the_lease()
    {
        PinnedAlias kernel = new();
        PinnedPages pages = PinnedPages.Create(_pool, kernel, slots: 2, () => { });
        Assert.True(pages.TryRent(out PinnedSlot? slot));
        kernel.Write(slot.TargetAddress, TestPool.Bytes(1, 10));
        ExposedPages lease = pages.Settle(slot, 10, slot.Bytes)!;
        pages.Dispose();
        TestPool.AssertSame(TestPool.Bytes(1, 10), lease.GetSpan());
        lease.Dispose();
        Assert.True(PageProbe.IsHidden(slot.ReaderAddress, slot.Bytes));
        kernel.Dispose();
    }

    [Fact]
    public void Arguments_that_cannot_be_are_refused()
    {
        Assert.True(_pages.TryRent(out PinnedSlot? slot));
        Assert.Throws<ArgumentOutOfRangeException>(() => _pages.Settle(slot, 11, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => _pages.Settle(slot, -1, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => _pages.Settle(slot, 1, slot.Bytes + 1));
        Settle(slot, 0);
    }

    /// <summary>Any order of reads and ends of leases: a consumer sees its bytes alone, and at the end all is free and zero.</summary>
    [Cases(200)]
    public void Any_history_keeps_what_was_promised(NonEmptyArray<(byte Fill, ushort Length, byte Ending)> reads)
    {
        List<(ExposedPages Lease, byte[] Expected)> held = [];
        foreach ((byte fill, ushort length, byte ending) in reads.Get)
        {
            Assert.True(_pages.TryRent(out PinnedSlot? slot));
            Assert.Equal(new byte[slot.Bytes], _kernel.Read(slot.TargetAddress, slot.Bytes));
            byte[] written = TestPool.Bytes(fill, slot.Bytes);
            _kernel.Write(slot.TargetAddress, written);
            if (Settle(slot, length) is { } lease)
            {
                held.Add((lease, written[..length]));
            }

            foreach ((ExposedPages kept, byte[] expected) in held)
            {
                TestPool.AssertSame(expected, kept.GetSpan());
            }

            if (ending % 2 == 0 && held.Count > 0)
            {
                int which = ending / 2 % held.Count;
                held[which].Lease.GetSpan();
                ((IDisposable)held[which].Lease).Dispose();
                held.RemoveAt(which);
            }
        }

        held.ForEach(h => ((IDisposable)h.Lease).Dispose());
        _pages.Tidy();
        Assert.Equal((3, 0), (_pages.SlotsFree, _pages.SlotsOut));
    }

    private ExposedPages Lend(byte fill, int length, out PinnedSlot slot)
    {
        Assert.True(_pages.TryRent(out PinnedSlot? rented));
        slot = rented;
        _kernel.Write(slot.TargetAddress, TestPool.Bytes(fill, slot.Bytes));
        return Settle(slot, length)!;
    }

    private ExposedPages? Settle(PinnedSlot slot, int verified) => _pages.Settle(slot, verified, slot.Bytes);
}
