using Aead.Pages;
using TestKit.Pages;
using Xunit;

namespace Aead.Tests.Pages;

[Collection(nameof(AloneInTheProcess))]
public sealed class PageMapFaultTests
{
    [Fact]
    public void A_refused_call_is_named_with_its_errno_and_what_was_mapped_is_undone()
    {
        int before = MappedViews();
        int descriptors = OpenDescriptors();

        // The second slot would start in the middle of a page, which mmap refuses after the first was mapped.
        int slotBytes = Environment.SystemPageSize / 2;
        var refused = Assert.Throws<PageMapException>(() => PageMap.Create(slotCount: 2, slotBytes));

        Assert.Equal(("mmap(memfd)", "EINVAL"), (refused.Call, refused.Errno));
        Assert.Contains("mmap(memfd) failed: EINVAL", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, MappedViews());
        Assert.Equal(descriptors, OpenDescriptors());
    }

    [Fact]
    public void A_map_keeps_no_descriptor_and_leaves_no_mapping()
    {
        int before = MappedViews();
        int descriptors = OpenDescriptors();
        using (PageMap map = PageMap.Create(slotCount: 4, PagePool.SlotBytes))
        {
            Assert.Equal(before + 8, MappedViews());
            Assert.Equal(descriptors, OpenDescriptors());
        }

        Assert.Equal(before, MappedViews());
    }

    [Fact]
    public void More_than_there_are_addresses_is_refused_by_name()
    {
        var refused = Assert.Throws<PageMapException>(() => PageMap.Create(int.MaxValue, PagePool.SlotBytes));
        Assert.Equal(("mmap(PROT_NONE)", "ENOMEM"), (refused.Call, refused.Errno));
        using PagePool pool = PagePool.Create(new PagePolicy { BytesMax = 4 << 20 }, stages: 1);
        using PinnedAlias kernel = new();
        PagePoolException told = Assert.Throws<PagePoolException>(() => PinnedPages.Create(pool, kernel, int.MaxValue, () => { }));
        Assert.Equal("Pinned pages cannot be had here: mmap(PROT_NONE) failed: ENOMEM.", told.Message);
    }

    [Fact]
    public void A_size_that_no_file_can_have_is_refused_by_name_and_no_descriptor_stays()
    {
        int descriptors = OpenDescriptors();
        var refused = Assert.Throws<PageMapException>(() => PageMap.Create(slotCount: -1, PagePool.SlotBytes));
        Assert.Equal(("ftruncate(memfd)", "EINVAL"), (refused.Call, refused.Errno));
        Assert.Equal(descriptors, OpenDescriptors());
    }

    [Fact]
    public void Pools_and_pinned_pages_leave_no_mapping()
    {
        int before = MappedViews();
        using (PagePool pool = TestPool.Create(Delivery.Flip))
        using (PinnedAlias kernel = new())
        using (PinnedPages pages = PinnedPages.Create(pool, kernel, slots: 2, () => { }))
        {
            Assert.True(MappedViews() > before);

            // A lease that ended and was not tidied up holds nothing back.
            Assert.True(pages.TryRent(out PinnedSlot? slot));
            pages.Settle(slot, 1, slot.Bytes)!.Dispose();
        }

        Assert.Equal(before, MappedViews());
    }

    [Fact]
    public void A_refused_pin_leaves_no_mapping()
    {
        using PagePool pool = PagePool.Create(new PagePolicy { BytesMax = 4 << 20 }, stages: 1);
        int before = MappedViews();
        int descriptors = OpenDescriptors();
        using PinnedAlias kernel = new() { Refusal = "no" };
        PagePoolException refused = Assert.Throws<PagePoolException>(() => PinnedPages.Create(pool, kernel, slots: 2, () => { }));
        Assert.Equal("no", refused.Message);
        Assert.Equal(before, MappedViews());
        Assert.Equal(descriptors, OpenDescriptors());
    }

    private static int MappedViews() =>
        Mappings.Read().Count(mapping => mapping.Name.Contains("tls-pages", StringComparison.Ordinal));

    // Ours are memfds: other descriptors of the process come and go by themselves.
    private static int OpenDescriptors() => Directory.GetFiles("/proc/self/fd")
        .Count(f => new FileInfo(f).LinkTarget?.Contains("tls-pages", StringComparison.Ordinal) == true);
}

/// <summary>For tests that count what the whole process has mapped.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;
