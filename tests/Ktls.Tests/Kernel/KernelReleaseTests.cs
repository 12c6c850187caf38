using Ktls.Kernel;
using Xunit;

namespace Ktls.Tests.Kernel;

/// <summary>Is the upstream version found wherever distributions hide it, and never taken from somewhere else?</summary>
public sealed class KernelReleaseTests
{
    [Theory]
    // Vendors that keep the number of kernel.org.
    [InlineData("6.18.44-fc-v657", "#1 SMP PREEMPT_DYNAMIC @0", "", "6.18.44")]
    [InlineData("6.1.158", "#1 SMP", "", "6.1.158")]
    [InlineData("6.12.5-0-lts", "#1-Alpine SMP PREEMPT_DYNAMIC 2024-12-15", "", "6.12.5")]
    [InlineData("6.11.5-arch1-1", "#1 SMP PREEMPT_DYNAMIC Tue, 22 Oct 2024 18:31:38 +0000", "", "6.11.5")]
    [InlineData("6.1.112-122.189.amzn2023.x86_64", "#1 SMP PREEMPT_DYNAMIC Tue Oct  8 17:02:11 UTC 2024", "", "6.1.112")]
    [InlineData("5.15.167.4-microsoft-standard-WSL2", "#1 SMP Tue Nov 5 00:21:55 UTC 2024", "", "5.15.167")]
    [InlineData("5.14.0-503.11.1.el9_5.x86_64", "#1 SMP PREEMPT_DYNAMIC Mon Nov 11", "", "5.14.0")]
    [InlineData("6.8.12-4-pve", "#1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4 (2024-11-06T15:04Z)", "", "6.8.12")]
    [InlineData("6.6", "#1", "", "6.6.0")]
    [InlineData("7.2.7\n", "#1\n", "\n", "7.2.7")]
    // Candidates are older than what they lead to.
    [InlineData("6.18.0-rc3", "#1 SMP", "", "6.18-rc")]
    [InlineData("6.7-rc5", "#1 SMP", "", "6.7-rc")]
    [InlineData("6.18.0-061800rc1-generic", "#202511", "", "6.18-rc")]
    [InlineData("7.0.0-0.rc1.260412.17.fc44.x86_64", "#1 SMP", "", "7.0-rc")]
    [InlineData("6.18.0-rc3-00001-gdeadbeef", "#1 SMP", "", "6.18-rc")]
    // Debian.
    [InlineData("6.1.0-56-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-01)", "", "6.1.192")]
    [InlineData("7.3.4+deb13-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1~bpo13+1 (2026-11-10)", "", "7.3.4")]
    [InlineData("7.3-rc7-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 7.3~rc7-1~exp1 (2026-10-20)", "", "7.3-rc")]
    [InlineData("6.6.51+rpt-rpi-v8", "#1 SMP PREEMPT Debian 1:6.6.51-1+rpt3 (2024-10-08)", "", "6.6.51")]
    [InlineData("5.10.0-33-amd64", "#1 SMP Debian 5.10.226-1 (2024-10-03)", "", "5.10.226")]
    // Ubuntu.
    [InlineData("6.8.0-45-generic", "#45-Ubuntu SMP PREEMPT_DYNAMIC Fri Aug 30", "Ubuntu 6.8.0-45.45-generic 6.8.12", "6.8.12")]
    [InlineData("5.15.0-122-generic", "#132-Ubuntu SMP", "Ubuntu 5.15.0-122.132-generic 5.15.163\n", "5.15.163")]
    [InlineData("6.11.0-9-generic", "#9-Ubuntu SMP", "Ubuntu 6.11.0-9.9-generic 6.11.0-rc7", "6.11-rc")]
    // Statements that are not about this kernel.
    [InlineData("5.10.0", "#1 SMP Debian 6.1.192-2 (2026-11-01)", "", "5.10.0")]
    [InlineData("6.1.0", "#1 SMP (gcc (Debian 12.2.0-14+deb12u1) 12.2.0)", "", "6.1.0")]
    [InlineData("6.8.0", "#1 SMP", "Ubuntu 6.8.0-45.45-generic", "6.8.0")]
    [InlineData("6.8.0", "#1 SMP", "Ubuntu 6.8.0-45.45-generic 6.8.12 and more", "6.8.0")]
    public void UpstreamVersionIsFound(string release, string build, string signature, string version) =>
        Assert.Equal(version, KernelRelease.Parse(release, build, signature).Upstream.ToString());

    [Theory]
    [InlineData("")]
    [InlineData("linux")]
    [InlineData("6")]
    [InlineData("v6.1.158")]
    [InlineData("99999999999.1.1")]
    [InlineData("6.1.99999999999")]
    public void WhatIsNoVersionIsNone(string release)
    {
        KernelRelease read = KernelRelease.Parse(release, "#1 SMP Debian 6.1.192-2", "");
        Assert.Null(read.Upstream);
        Assert.Equal(release, read.Name);
    }

    [Fact]
    public void AReleaseIsNamedWithItsUpstreamVersionWhereThatDiffers()
    {
        Assert.Equal(
            "6.1.0-56-cloud-amd64 (upstream 6.1.192)",
            KernelRelease.Parse("6.1.0-56-cloud-amd64", "#1 SMP Debian 6.1.192-2 (2026-11-01)", "").ToString());
        Assert.Equal("7.2.7", KernelRelease.Parse("7.2.7", "#1", "").ToString());
    }

    [Fact]
    public void ThisMachinesReleaseIsRead() => Assert.NotNull(KernelRelease.Read().Upstream);
}
