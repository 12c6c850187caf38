using Ktls.Kernel;
using Xunit;

namespace Ktls.Tests.Kernel;

/// <summary>Which kernels are trusted with which direction?</summary>
[Trait("Claim", "C8")]
public sealed class KernelFloorsTests
{
    [Theory]
    [InlineData("6.1.157", "below_floor")]
    [InlineData("6.1.158", null)]
    [InlineData("6.1.0-56-amd64", "below_floor")]
    [InlineData("6.6.113", "below_floor")]
    [InlineData("6.6.114", null)]
    [InlineData("6.12.54", "below_floor")]
    [InlineData("6.12.55", null)]
    [InlineData("6.17.4", "below_floor")]
    [InlineData("6.17.5", null)]
    [InlineData("6.18.0", null)]
    [InlineData("6.18.0-rc7", "series_not_listed")]
    [InlineData("7.0.0-rc1", null)]
    [InlineData("7.2.7", null)]
    [InlineData("5.15.999", "series_not_listed")]
    [InlineData("6.8.12", "series_not_listed")]
    [InlineData("6.16.99", "series_not_listed")]
    [InlineData("unknown", "series_not_listed")]
    public void Receive(string release, string? code) => AssertReason(release, KernelDirection.Receive, code);

    [Theory]
    [InlineData("6.6.6", "below_floor")]
    [InlineData("6.6.7", "below_floor")]
    [InlineData("6.6.200", "series_not_listed")]
    [InlineData("6.1.192", "series_not_listed")]
    [InlineData("5.15.200", "series_not_listed")]
    [InlineData("6.8.12", "series_not_listed")]
    [InlineData("6.12.74", "below_floor")]
    [InlineData("6.12.75", null)]
    [InlineData("6.18.15", "below_floor")]
    [InlineData("6.18.16", null)]
    [InlineData("6.19.5", "below_floor")]
    [InlineData("6.19.6", null)]
    [InlineData("7.0.0", null)]
    [InlineData("7.0.0-rc2", "series_not_listed")]
    [InlineData("7.3.4", null)]
    public void Transmit(string release, string? code) => AssertReason(release, KernelDirection.Transmit, code);

    // Each row is a fact of its own and must hold without the others.
    [Theory]
    [InlineData("CVE-2024-0646", "5.10.207", false)]
    [InlineData("CVE-2024-0646", "5.10.208", true)]
    [InlineData("CVE-2024-0646", "5.15.146", false)]
    [InlineData("CVE-2024-0646", "5.15.147", true)]
    [InlineData("CVE-2024-0646", "6.1.68", false)]
    [InlineData("CVE-2024-0646", "6.1.69", true)]
    [InlineData("CVE-2024-0646", "6.6.6", false)]
    [InlineData("CVE-2024-0646", "6.6.7", true)]
    [InlineData("CVE-2024-0646", "6.7.0", true)]
    [InlineData("CVE-2024-26585", "5.15.164", false)]
    [InlineData("CVE-2024-26585", "5.15.165", true)]
    [InlineData("CVE-2024-26585", "6.1.83", false)]
    [InlineData("CVE-2024-26585", "6.1.84", true)]
    [InlineData("CVE-2024-26585", "6.6.18", true)]
    [InlineData("CVE-2024-26585", "6.7.5", false)]
    [InlineData("CVE-2024-26585", "6.7.6", true)]
    [InlineData("CVE-2024-26585", "6.8.0", true)]
    public void EachDefectHasItsOwnFloor(string defect, string release, bool isFixed)
    {
        KernelFloor row = Assert.Single(KernelFloors.Rows, r => r.Defect.StartsWith(defect, StringComparison.Ordinal));
        Assert.Equal(isFixed, row.Judge(KernelRelease.Parse(release, "", "")) is null);
    }

    [Fact]
    public void TheReasonNamesReleaseDefectFixAndTheWayOut()
    {
        KernelRelease debian = KernelRelease.Parse("6.1.0-40-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)", "");
        LayerReason reason = KernelFloors.WhyNot(debian, KernelDirection.Receive)!;
        Assert.Equal(
            "Linux 6.1.0-40-amd64 (upstream 6.1.153) has CVE-2025-40176 (plaintext written after recv returned); "
            + "upgrade it to 6.1.158 or later, or name 6.1.0-40-amd64 in Kernel:Accept if its vendor has fixed it",
            reason.Sentence);
    }

    private static void AssertReason(string release, KernelDirection direction, string? code) =>
        Assert.Equal(code, KernelFloors.WhyNot(KernelRelease.Parse(release, "", ""), direction)?.Code);
}
