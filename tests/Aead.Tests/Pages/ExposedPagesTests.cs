using System.Buffers;
using Aead.Pages;
using TestKit.Pages;
using Xunit;

namespace Aead.Tests.Pages;

[Trait("Claim", "I4")]
public sealed class ExposedPagesTests : IDisposable
{
    private const int Length = 5000;

    private readonly PagePool _flip = TestPool.Create(Delivery.Flip);
    private readonly PagePool _copy = TestPool.Create(Delivery.Copy);

    public static TheoryData<Delivery> BothWays => [Delivery.Flip, Delivery.Copy];

    public void Dispose()
    {
        _flip.Dispose();
        _copy.Dispose();
    }

    [Theory]
    [MemberData(nameof(BothWays))]
    public void A_lease_gives_exactly_the_verified_bytes(Delivery delivery)
    {
        using DecryptStage stage = PoolOf(delivery).CreateStage();
        using ExposedPages lease = stage.Fill(seed: 1, verified: Length, written: Length + 700)!;
        Assert.Equal(delivery == Delivery.Flip, lease.HoldsSlot);
        Assert.Equal(Length, lease.Length);
        Assert.Equal(Length, lease.Memory.Length);
        Assert.Equal(TestPool.Bytes(1, Length), lease.GetSpan().ToArray());
    }

    [Theory]
    [MemberData(nameof(BothWays))]
    public void After_dispose_every_access_throws_and_a_second_dispose_does_nothing(Delivery delivery)
    {
        PagePool pool = PoolOf(delivery);
        using DecryptStage stage = pool.CreateStage();
        ExposedPages lease = stage.Fill(seed: 1, Length);
        Memory<byte> kept = lease.Memory;
        lease.Dispose();
        lease.Dispose();
        ((IDisposable)lease).Dispose();

        Assert.Throws<ObjectDisposedException>(() => lease.GetSpan());
        Assert.Throws<ObjectDisposedException>(() => lease.Memory);
        Assert.Throws<ObjectDisposedException>(() => lease.Pin());
        Assert.Throws<ObjectDisposedException>(() => lease.Shrink(0));
        Assert.Throws<ObjectDisposedException>(() => kept.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => kept.Pin());
        Assert.Equal((1, 0L), (pool.Status.SlotsInUse, pool.Status.CopyBytesInUse));
    }

    [Fact]
    public void A_span_kept_past_the_lease_of_a_slot_would_fault()
    {
        using DecryptStage stage = _flip.CreateStage();
        ExposedPages lease = stage.Fill(seed: 1, Length);
        nint address = TestPool.AddressOf(lease);
        Assert.Equal(TestPool.Bytes(1, Length), PageProbe.Read(address, Length));

        lease.Dispose();
        Assert.True(PageProbe.IsHidden(address, TestPool.SlotBytes));
    }

    [Fact]
    public void A_span_kept_past_the_lease_of_a_copy_sees_zeros()
    {
        using DecryptStage stage = _copy.CreateStage();
        ExposedPages lease = stage.Fill(seed: 1, Length);
        Span<byte> kept = lease.GetSpan();
        lease.Dispose();
        Assert.Equal(new byte[Length], kept.ToArray());
    }

    [Theory]
    [MemberData(nameof(BothWays))]
    public void A_pin_keeps_the_bytes_past_the_lease_and_the_last_one_gives_them_back(Delivery delivery)
    {
        PagePool pool = PoolOf(delivery);
        using DecryptStage stage = pool.CreateStage();
        ExposedPages lease = stage.Fill(seed: 1, Length);
        nint address = TestPool.AddressOf(lease);
        PagePoolStatus lent = pool.Status;
        MemoryHandle first = lease.Pin();
        MemoryHandle second = lease.Memory[100..].Pin();
        Assert.Equal((address, address + 100), (AddressOf(first), AddressOf(second)));

        lease.Dispose();
        Assert.Throws<ObjectDisposedException>(() => lease.GetSpan());
        first.Dispose();
        first.Dispose();
        Assert.Equal(lent, pool.Status);
        Assert.Equal(TestPool.Bytes(1, Length), PageProbe.Read(address, Length));

        second.Dispose();
        Assert.Equal((1, 0L), (pool.Status.SlotsInUse, pool.Status.CopyBytesInUse));
        Assert.Contains("without a pin", Assert.Throws<InvalidOperationException>(lease.Unpin).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(BothWays))]
    public void A_pin_points_anywhere_up_to_the_end_and_not_beyond(Delivery delivery)
    {
        using DecryptStage stage = PoolOf(delivery).CreateStage();
        using ExposedPages lease = stage.Fill(seed: 1, Length);
        lease.Pin(Length).Dispose();
        Assert.Throws<ArgumentOutOfRangeException>(() => lease.Pin(Length + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => lease.Pin(-1));
        Assert.Throws<InvalidOperationException>(lease.Unpin);
        Assert.Equal(Length, lease.GetSpan().Length);
    }

    [Theory]
    [MemberData(nameof(BothWays))]
    public void Shrink_moves_the_rest_to_a_copy_of_its_size_and_ends_the_lease(Delivery delivery)
    {
        PagePool pool = PoolOf(delivery);
        using DecryptStage stage = pool.CreateStage();
        ExposedPages lease = stage.Fill(seed: 1, Length);
        using ExposedPages rest = lease.Shrink(Length - 600);
        Assert.False(rest.HoldsSlot);
        Assert.Equal(TestPool.Bytes(1, Length)[^600..], rest.GetSpan().ToArray());
        Assert.Throws<ObjectDisposedException>(() => lease.GetSpan());
        Assert.Equal((1, 1024L), (pool.Status.SlotsInUse, pool.Status.CopyBytesInUse));
    }

    [Theory]
    [MemberData(nameof(BothWays))]
    public void Join_moves_neighbours_to_one_copy_and_ends_their_leases(Delivery delivery)
    {
        PagePool pool = PoolOf(delivery);
        using DecryptStage stage = pool.CreateStage();
        ExposedPages[] leases = [stage.Fill(seed: 1, Length), stage.Fill(seed: 2, Length), stage.Fill(seed: 3, 1)];
        using ExposedPages joined = ExposedPages.Join(leases, start: 7);
        Assert.False(joined.HoldsSlot);
        byte[] expected = [.. TestPool.Bytes(1, Length)[7..], .. TestPool.Bytes(2, Length), .. TestPool.Bytes(3, 1)];
        Assert.Equal(expected, joined.GetSpan().ToArray());
        Assert.All(leases, lease => Assert.Throws<ObjectDisposedException>(() => lease.GetSpan()));
        Assert.Equal(1, pool.Status.SlotsInUse);
    }

    [Fact]
    public void Join_with_a_lease_that_has_ended_loses_nothing_of_the_pool()
    {
        PagePool pool = PoolOf(Delivery.Copy);
        using DecryptStage stage = pool.CreateStage();
        ExposedPages ended = stage.Fill(seed: 1, Length);
        ended.Dispose();
        ExposedPages alive = stage.Fill(seed: 2, Length);
        Assert.Throws<ObjectDisposedException>(() => ExposedPages.Join([alive, ended], start: 0));
        Assert.Equal(0, pool.Status.CopyBytesInUse);
    }

    [Fact]
    public void Shrink_to_nothing_is_refused_and_the_lease_goes_on()
    {
        using DecryptStage stage = _flip.CreateStage();
        using ExposedPages lease = stage.Fill(seed: 1, Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => lease.Shrink(Length));
        Assert.Throws<ArgumentOutOfRangeException>(() => lease.Shrink(-1));
        Assert.Equal(Length, lease.GetSpan().Length);
    }

    [Fact]
    public void A_lease_from_before_the_slot_was_hidden_is_refused_even_if_nobody_disposed_it()
    {
        using PageMap map = PageMap.Create(slotCount: 1, TestPool.SlotBytes);
        var slot = new StageSlot(map, 0);
        slot.Expose();
        var stale = new ExposedPages(_flip, slot, Length);
        Assert.Equal(Length, stale.GetSpan().Length);

        slot.Hide();
        Assert.Throws<ObjectDisposedException>(() => stale.GetSpan());
        slot.Expose();
        Assert.Throws<ObjectDisposedException>(() => stale.GetSpan());
        Assert.Throws<ObjectDisposedException>(() => stale.Pin());

        // Nor does the pin that failed count.
        Assert.Throws<InvalidOperationException>(stale.Unpin);
    }

    private PagePool PoolOf(Delivery delivery) => delivery == Delivery.Flip ? _flip : _copy;

    private static unsafe nint AddressOf(MemoryHandle handle) => (nint)handle.Pointer;
}
