using Aead;
using Aead.Algorithms;
using Ktls.Kernel;
using Tmds.Linux;
using Xunit;

namespace Ktls.Tests.Kernel;

/// <summary>What do later runs of the self-test change, and what not?</summary>
public sealed class KernelSelfTestStateTests
{
    [Fact]
    public void After_an_inconclusive_start_the_first_run_that_passes_admits_the_kernel()
    {
        FakeMachine machine = FakeMachine.With("self_test_inconclusive");
        KernelSupport support = new(machine);
        AssertReason("self_test_inconclusive", support);
        machine.Verdict = (_, _) => SelfTestVerdict.Passed;
        support.Test();
        AssertReason(null, support);
    }

    [Fact]
    public void A_later_inconclusive_run_keeps_what_was_found()
    {
        FakeMachine machine = new();
        KernelSupport support = new(machine);
        support.Test();
        machine.Verdict = (_, _) => SelfTestVerdict.Inconclusive("EMFILE");
        Assert.All(support.Test(), finding => Assert.Equal(SelfTestOutcome.Inconclusive, finding.Outcome));
        AssertReason(null, support);

        machine.InstallError = (_, _) => LibC.ENOMEM;
        support.Test();
        AssertReason(null, support);

        machine.AttachError = LibC.EMFILE;
        support.Test();
        AssertReason(null, support);
        Assert.True(support.SupportsRekey);
    }

    [Fact]
    public void A_failure_switches_its_direction_off_with_every_suite_and_leaves_the_other_on()
    {
        FakeMachine machine = new();
        KernelSupport support = new(machine);
        support.Test();
        machine.Verdict = (suite, direction) =>
            suite.Aead == AeadAlgorithm.Aes256Gcm && suite.Version == TlsVersion.Tls12 && direction == KernelDirection.Receive
                ? SelfTestVerdict.Failed("a byte differs")
                : SelfTestVerdict.Passed;
        support.Test();
        Assert.All(CipherSuite.All, suite =>
        {
            LayerReason? why = support.WhyNot(new KernelPolicy(), suite, KernelDirection.Receive);
            Assert.Equal("self_test_failed", why?.Code);
            Assert.Contains("Receive with Tls12 and AEAD_AES_256_GCM: a byte differs", why!.Sentence, StringComparison.Ordinal);
            Assert.Null(support.WhyNot(new KernelPolicy(), suite, KernelDirection.Transmit));
        });
    }

    [Fact]
    public void A_failure_is_final()
    {
        FakeMachine machine = FakeMachine.With("self_test_failed");
        KernelSupport support = new(machine);
        AssertReason("self_test_failed", support);
        machine.Verdict = (_, _) => SelfTestVerdict.Passed;
        support.Test();
        AssertReason("self_test_failed", support);
        machine.AttachError = LibC.ENOENT;
        support.Test();
        AssertReason("self_test_failed", support);
    }

    [Fact]
    public void A_module_that_is_loaded_later_is_used_from_the_next_run_on()
    {
        FakeMachine machine = FakeMachine.With("tls_module_not_loaded");
        KernelSupport support = new(machine);
        AssertReason("tls_module_not_loaded", support);
        Assert.False(support.SupportsRekey);
        machine.AttachError = 0;
        support.Test();
        AssertReason(null, support);
        Assert.True(support.SupportsRekey);
    }

    [Fact]
    public void A_forgery_that_is_accepted_is_told_after_the_direction_is_off()
    {
        FakeMachine machine = new();
        KernelSupport support = new(machine);
        support.Test();
        string? atThatMoment = null;
        int told = 0;
        support.ForgedRecordAccepted += () =>
        {
            told++;
            atThatMoment = support.WhyNot(new KernelPolicy(), CipherSuite.All[0], KernelDirection.Receive)?.Code;
        };
        support.Test();
        Assert.Equal(0, told);
        machine.Verdict = (_, direction) =>
            direction == KernelDirection.Receive ? SelfTestVerdict.Forged("4 bytes") : SelfTestVerdict.Passed;
        support.Test();
        Assert.Equal(1, told);
        Assert.Equal("self_test_failed", atThatMoment);
        Assert.Null(support.WhyNot(new KernelPolicy(), CipherSuite.All[0], KernelDirection.Transmit));
    }

    [Fact]
    public void Connections_that_ask_at_once_make_one_first_run()
    {
        FakeMachine machine = new();
        KernelSupport support = new(machine);
        Parallel.For(0, 32, _ => AssertReason(null, support));
        Assert.Equal(1, machine.Attached);
    }

    private static void AssertReason(string? code, KernelSupport support) =>
        Assert.Equal(code, support.WhyNot(new KernelPolicy(), CipherSuite.All[0], KernelDirection.Receive)?.Code);
}
