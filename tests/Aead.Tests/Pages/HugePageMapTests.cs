using System.Globalization;
using Aead.Pages;
using Xunit;

namespace Aead.Tests.Pages;

/// <summary>A map as the pool makes it is large enough for huge pages, and everything holds for it as well.</summary>
[Trait("Claim", "I2")]
public sealed class HugePageMapTests() : PageMapTests(SlotPool.SlotsPerMap)
{
    [Fact]
    public void Its_memory_is_joined_into_huge_pages_where_the_kernel_has_any()
    {
        long joined = Count("thp_collapse_alloc");
        long refused = Count("thp_collapse_alloc_failed");
        using PageMap map = PageMap.Create(SlotPool.SlotsPerMap, PagePool.SlotBytes);
        Assert.SkipWhen(Count("thp_collapse_alloc_failed") > refused, "No huge page was free.");
        Assert.True(Count("thp_collapse_alloc") >= joined + 2, "Small pages were left.");
    }

    // Of all processes: it only grows. A kernel without huge pages has no such line.
    private static long Count(string name)
    {
        string? line = File.ReadLines("/proc/vmstat").FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        Assert.SkipWhen(line is null, "This kernel has no huge pages.");
        return long.Parse(line.AsSpan(name.Length + 1), CultureInfo.InvariantCulture);
    }
}
