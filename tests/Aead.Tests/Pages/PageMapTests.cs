using Aead.Pages;
using TestKit.Pages;
using Xunit;

namespace Aead.Tests.Pages;

[Trait("Claim", "I2")]
public class PageMapTests : IDisposable
{
    private const int SlotBytes = PagePool.SlotBytes;

    private static readonly int GuardBytes = Environment.SystemPageSize;

    private readonly int _slots;
    private readonly PageMap _map;

    public PageMapTests()
        : this(slots: 3)
    {
    }

    protected PageMapTests(int slots)
    {
        _slots = slots;
        _map = PageMap.Create(slots, SlotBytes);
    }

    public void Dispose()
    {
        _map.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_new_slot_is_hidden_from_readers_and_zero_for_the_writer()
    {
        for (int slot = 0; slot < _slots; slot++)
        {
            Assert.True(PageProbe.IsHidden(_map.ReaderAddress(slot), SlotBytes));
            Assert.Equal(new byte[SlotBytes], PageProbe.Read(_map.WriterAddress(slot), SlotBytes));
        }
    }

    [Fact]
    public void Exposing_one_slot_shows_it_whole_and_no_other()
    {
        _map.Expose(1);
        Assert.NotNull(PageProbe.Read(_map.ReaderAddress(1), SlotBytes));
        Assert.True(PageProbe.IsHidden(_map.ReaderAddress(0), SlotBytes));
        Assert.True(PageProbe.IsHidden(_map.ReaderAddress(2), SlotBytes));

        _map.Hide(1);
        Assert.True(PageProbe.IsHidden(_map.ReaderAddress(1), SlotBytes));
    }

    [Fact]
    public void Every_slot_of_both_views_lies_between_guards()
    {
        for (int slot = 0; slot < _slots; slot++)
        {
            _map.Expose(slot);
            foreach (nint start in new[] { _map.WriterAddress(slot), _map.ReaderAddress(slot) })
            {
                Assert.True(PageProbe.IsHidden(start - GuardBytes, GuardBytes));
                Assert.True(PageProbe.IsHidden(start + SlotBytes, GuardBytes));
            }
        }
    }

    [Fact]
    [Trait("Claim", "I5")]
    public void Nobody_makes_a_readers_view_writable_hidden_or_exposed()
    {
        _map.Expose(0);
        Assert.True(PageProbe.RefusesWriting(_map.ReaderAddress(0), SlotBytes));
        Assert.True(PageProbe.RefusesWriting(_map.ReaderAddress(1), SlotBytes));
    }

    [Fact]
    public void A_slot_is_one_mapping_that_stays_one_when_it_flips()
    {
        for (int slot = 0; slot < _slots; slot++)
        {
            _map.Expose(slot);
            Assert.Equal("r--s", AssertOneMapping(_map.ReaderAddress(slot)).Access);
            _map.Hide(slot);
            Assert.Equal("---s", AssertOneMapping(_map.ReaderAddress(slot)).Access);
            Assert.Equal("rw-s", AssertOneMapping(_map.WriterAddress(slot)).Access);
        }
    }

    [Fact]
    [Trait("Claim", "C5")]
    public void Both_views_stay_out_of_core_dumps_and_children()
    {
        foreach (nint start in new[] { _map.WriterAddress(0), _map.ReaderAddress(_slots - 1) })
        {
            IReadOnlySet<string> flags = Mappings.At(start).Flags;
            Assert.Contains("dd", flags);
            Assert.Contains("dc", flags);
        }
    }

    [Fact]
    public void Locking_locks_the_first_slots_through_the_writers_view_alone()
    {
        _map.Lock(2);
        Assert.Equal(2, _map.SlotsLocked);
        Assert.Contains("lo", Mappings.At(_map.WriterAddress(0)).Flags);
        Assert.Contains("lo", Mappings.At(_map.WriterAddress(1)).Flags);
        Assert.DoesNotContain("lo", Mappings.At(_map.WriterAddress(2)).Flags);
        Assert.DoesNotContain("lo", Mappings.At(_map.ReaderAddress(0)).Flags);
    }

    [Fact]
    public void Disposing_twice_unmaps_once_and_the_addresses_are_refused()
    {
        _map.Dispose();
        _map.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _map.ReaderAddress(0));
        Assert.Throws<ObjectDisposedException>(() => _map.Expose(0));
    }

    private static Mapping AssertOneMapping(nint start)
    {
        Mapping mapping = Mappings.At(start);
        Assert.Equal((start, start + SlotBytes), (mapping.Start, mapping.End));
        Assert.Contains("memfd", mapping.Name, StringComparison.Ordinal);
        return mapping;
    }
}
