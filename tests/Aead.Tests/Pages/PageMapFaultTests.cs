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
        var refused = Assert.Throws<PageMapException>(() => PageMap.Create(slotCount: 2, slotBytes: Environment.SystemPageSize / 2));

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

    private static int MappedViews() => Mappings.Read().Count(m => m.Name.Contains("tls-pages", StringComparison.Ordinal));

    // Ours are memfds: other descriptors of the process come and go by themselves.
    private static int OpenDescriptors() => Directory.GetFiles("/proc/self/fd")
        .Count(f => new FileInfo(f).LinkTarget?.Contains("tls-pages", StringComparison.Ordinal) == true);
}

/// <summary>For tests that count what the whole process has mapped.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;
