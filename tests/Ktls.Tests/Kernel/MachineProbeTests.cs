using Aead;
using Ktls.Kernel;
using TestKit;
using Xunit;

namespace Ktls.Tests.Kernel;

/// <summary>Does the real probe read what is there? What a kernel with TLS answers is asked in Kernel.Tests.</summary>
public sealed class MachineProbeTests : IDisposable
{
    private readonly TemporaryDirectory _modules = new();

    [Theory]
    [InlineData("kernel/net/tls/tls.ko: \n", true)]
    [InlineData("kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz\nkernel/net/tls/tls.ko.xz:\n", true)]
    [InlineData("kernel/net/tls/tls.ko.zst:", true)]
    [InlineData("kernel/drivers/nvme/nvme-tcp.ko: kernel/net/tls/tls.ko\n", false)]
    [InlineData("kernel/net/mtls.ko:\nkernel/net/tls_sw.ko:\n", false)]
    [InlineData("no colon here\n", false)]
    [InlineData("", false)]
    public void A_module_that_the_kernels_package_brought_is_found(string list, bool found)
    {
        MachineProbe probe = new(_modules.FullPath);
        Directory.CreateDirectory(_modules.File(probe.Release.Name));
        File.WriteAllText(_modules.File(Path.Combine(probe.Release.Name, "modules.dep")), list);
        Assert.Equal(found, probe.HasTlsModule);
    }

    [Fact]
    public void Without_a_list_there_is_no_module() => Assert.False(new MachineProbe(_modules.FullPath).HasTlsModule);

    [Fact]
    public void Every_question_has_an_answer_and_none_leaves_a_descriptor()
    {
        MachineProbe probe = new();
        _ = probe.WhyNoHiddenReads();
        int before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        bool hasTls = !probe.Attach().Failed;
        Assert.Equal(hasTls, !probe.Install(CipherSuite.All[0], KernelDirection.Receive).Failed);
        Assert.True(hasTls || probe.Rekey().Failed);
        SelfTestOutcome expected = hasTls ? SelfTestOutcome.Passed : SelfTestOutcome.Inconclusive;
        Assert.Equal(expected, probe.Test(CipherSuite.All[0], KernelDirection.Transmit, hidden: false).Outcome);
        Assert.Equal(expected, probe.Test(CipherSuite.All[0], KernelDirection.Receive, probe.WhyNoHiddenReads() == null).Outcome);

        // Other tests of this process open and close descriptors too.
        Assert.True(SpinWait.SpinUntil(
            () => Directory.GetFileSystemEntries("/proc/self/fd").Length <= before + 2, TestKit.Timeouts.Exchange));
    }

    public void Dispose() => _modules.Dispose();
}
