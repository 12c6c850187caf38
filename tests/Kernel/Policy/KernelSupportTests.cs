using System.Diagnostics;
using Aead;
using Ktls;
using Ktls.Kernel;
using TestKit;
using TestKit.Processes;
using Xunit;

namespace Kernel.Tests.Policy;

/// <summary>Is a kernel that can do everything used for everything that it may be trusted with?</summary>
[Trait("Runs", "Everywhere")]
[Trait("Claim", "C8")]
public sealed class KernelSupportTests(ITestOutputHelper output)
{
    private readonly KernelSupport _support = new(new MachineProbe());

    [Fact]
    public void The_self_test_passes_with_every_combination_both_ways()
    {
        Assert.Null(_support.WhyNoHiddenReads);
        IReadOnlyList<KernelFinding> run = _support.Test();
        Assert.Equal(12, run.Count);
        Assert.All(run, finding => Assert.True(
            finding.Outcome == SelfTestOutcome.Passed, $"{finding.Suite} {finding.Direction}: {finding.Why?.Sentence}"));
        KernelPolicy accepts = new() { Accept = [_support.Release.Name] };
        Assert.All(CipherSuite.All, suite => Assert.All(
            Enum.GetValues<KernelDirection>(), direction => Assert.Null(_support.WhyNot(accepts, suite, direction))));
    }

    [Fact]
    [Trait("Needs", "Rekey")]
    public void A_recent_kernel_is_trusted_by_its_number_and_changes_keys()
    {
        Assert.All(CipherSuite.All, suite => Assert.All(
            Enum.GetValues<KernelDirection>(), direction => Assert.Null(_support.WhyNot(new KernelPolicy(), suite, direction))));
        Assert.True(_support.SupportsRekey);
    }

    [Fact]
    [Trait("Needs", "NoRekey")]
    public void Linux_61_receives_by_its_number_and_transmits_only_when_it_is_accepted()
    {
        Assert.Equal((6, 1), (_support.Release.Upstream?.Major, _support.Release.Upstream?.Minor));
        Assert.All(CipherSuite.All, suite => Assert.Null(_support.WhyNot(new KernelPolicy(), suite, KernelDirection.Receive)));
        Assert.All(CipherSuite.All, suite =>
            Assert.Equal("series_not_listed", _support.WhyNot(new KernelPolicy(), suite, KernelDirection.Transmit)?.Code));
        Assert.False(_support.SupportsRekey);
    }

    [Fact]
    public void Runs_leave_nothing_behind_and_take_little_time()
    {
        _support.Test();
        int before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < Runs; run++)
        {
            Assert.All(_support.Test(), finding => Assert.Equal(SelfTestOutcome.Passed, finding.Outcome));
        }

        output.WriteLine($"One run takes {Stopwatch.GetElapsedTime(start).TotalMilliseconds / Runs:F1} ms.");
        Assert.True(SpinWait.SpinUntil(
            () => Directory.GetFileSystemEntries("/proc/self/fd").Length <= before + 2, Timeouts.Exchange));
    }

    [Fact]
    [Trait("Needs", "HostPrograms")]
    public async Task Doctor_tells_all_of_it()
    {
        CommandResult doctor = await CommandRunner.RunAsync(RepositoryFiles.ProxyExecutable, ["doctor"], timeout: Timeouts.Program);
        Assert.True(doctor.ExitCode == 0, doctor.Everything);
        Assert.Matches(@"kernel TLS +receive: kernel\n", doctor.Output);
        Assert.Equal(6, doctor.Output.Split("transmit passed, receive passed").Length - 1);
        Assert.Matches(@"hidden reads +io_uring, with pages that can be pinned\n", doctor.Output);
        output.WriteLine(doctor.Output);
    }

    private const int Runs = 10;
}
