using Aead;
using Aead.Algorithms;
using Aead.Pages;
using Ktls.Handshake;
using Ktls.Kernel;
using Ktls.Tests.Handshake;
using Ktls.Tests.Transport;
using Tmds.Linux;
using Xunit;

namespace Ktls.Tests.Kernel;

/// <summary>Is the kernel used exactly where it may be, and is every reason against it told with its remedy?</summary>
[Trait("Claim", "C8")]
public sealed class KernelSupportTests
{
    [Fact]
    public void A_machine_that_offers_all_has_both_directions_with_every_suite()
    {
        KernelSupport support = new(new FakeMachine());
        Assert.All(CipherSuite.All, suite => Assert.All(
            Enum.GetValues<KernelDirection>(), direction => Assert.Null(support.WhyNot(new KernelPolicy(), suite, direction))));
        Assert.True(support.SupportsRekey);
        Assert.Null(support.WhyNoHiddenReads);
    }

    [Fact]
    public void Six_combinations_are_tested_each_way_and_once()
    {
        FakeMachine machine = new();
        KernelSupport support = new(machine);
        Assert.Equal(12, support.Test().Count);
        Assert.Equal(12, machine.Tested.DistinctBy(t => (t.Suite.Version, t.Suite.Aead, t.Direction)).Count());
        Assert.Equal(12, machine.Tested.Count);
        Assert.All(machine.Tested, t => Assert.True(t.Hidden));
    }

    public static TheoryData<string, string> Obstacles { get; } = new()
    {
        { "no_tls_module", "boot one that was built with CONFIG_TLS" },
        { "tls_module_not_loaded", "echo tls > /etc/modules-load.d/tls.conf" },
        { "attach_refused", "EPERM" },
        { "no_aead", "install its module" },
        { "install_refused", "EPERM" },
        { "below_floor", "name 6.12.54 in Kernel:Accept" },
        { "series_not_listed", "name 5.14.0-503.el9.x86_64 in Kernel:Accept" },
        { "self_test_failed", "a byte differs" },
        { "self_test_inconclusive", "ENOBUFS" },
    };

    [Theory]
    [MemberData(nameof(Obstacles))]
    public void Each_obstacle_keeps_both_directions_in_user_space_and_says_why(string obstacle, string remedy)
    {
        KernelSupport support = new(FakeMachine.With(obstacle));
        foreach (KernelDirection direction in Enum.GetValues<KernelDirection>())
        {
            LayerReason? why = support.WhyNot(new KernelPolicy(), CipherSuite.All[0], direction);
            Assert.Equal(obstacle, why?.Code);
            Assert.Contains(remedy, why!.Sentence, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Obstacles))]
    public void On_refuses_to_start_with_each_obstacle_and_names_listener_direction_obstacle_and_remedy(string obstacle, string remedy)
    {
        KernelSupport support = new(FakeMachine.With(obstacle));
        foreach (KernelPolicy policy in (KernelPolicy[])[new() { Transmit = KernelUse.On }, new() { Receive = KernelUse.On }])
        {
            string setting = policy.Transmit == KernelUse.On ? "Kernel:Transmit" : "Kernel:Receive";
            KernelUnavailableException refusal = Assert.Throws<KernelUnavailableException>(() => support.Demand(Listener(policy)));
            Assert.StartsWith($"Listener 'https' has {setting} On, but ", refusal.Message, StringComparison.Ordinal);
            Assert.Contains(remedy, refusal.Message, StringComparison.Ordinal);
            Assert.EndsWith($"; or set {setting} to Auto.", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Obstacles))]
    public void Auto_starts_with_each_obstacle(string obstacle, string remedy)
    {
        Assert.NotEmpty(remedy);
        new KernelSupport(FakeMachine.With(obstacle)).Demand(Listener(new KernelPolicy()));
    }

    [Fact]
    public void On_starts_where_the_machine_offers_all() =>
        new KernelSupport(new FakeMachine()).Demand(Listener(new() { Transmit = KernelUse.On, Receive = KernelUse.On }));

    [Fact]
    public void Off_asks_the_machine_nothing()
    {
        FakeMachine machine = new();
        KernelSupport support = new(machine);
        support.Demand(Listener(KernelPolicy.Off));
        Assert.Equal("off_by_setting", support.WhyNot(KernelPolicy.Off, CipherSuite.All[0], KernelDirection.Transmit)?.Code);
        Assert.Equal("off_by_setting", support.WhyNot(KernelPolicy.Off, CipherSuite.All[0], KernelDirection.Receive)?.Code);
        Assert.Equal(0, machine.Attached);
    }

    [Fact]
    public void Each_direction_has_its_own_setting_and_its_own_floor()
    {
        KernelSupport support = new(new FakeMachine { Release = FakeMachine.Linux("6.1.192") });
        Assert.Equal("series_not_listed", support.WhyNot(new KernelPolicy(), CipherSuite.All[0], KernelDirection.Transmit)?.Code);
        Assert.Null(support.WhyNot(new KernelPolicy(), CipherSuite.All[0], KernelDirection.Receive));
        KernelPolicy noReceive = new() { Receive = KernelUse.Off };
        Assert.Equal("off_by_setting", support.WhyNot(noReceive, CipherSuite.All[0], KernelDirection.Receive)?.Code);
    }

    [Fact]
    public void Accept_waives_the_floor_of_exactly_that_release_and_not_the_self_test()
    {
        KernelPolicy accepts = new() { Accept = ["5.14.0-503.el9.x86_64"] };
        FakeMachine machine = FakeMachine.With("series_not_listed");
        Assert.Null(new KernelSupport(machine).WhyNot(accepts, CipherSuite.All[0], KernelDirection.Receive));

        machine.Verdict = (_, _) => SelfTestVerdict.Failed("a byte differs");
        Assert.Equal("self_test_failed", new KernelSupport(machine).WhyNot(accepts, CipherSuite.All[0], KernelDirection.Receive)?.Code);

        foreach (string other in (string[])["5.14.0", "5.14.0-503.el9.x86_64 ", "5.14.0-503.EL9.x86_64", "5.14.0-504.el9.x86_64"])
        {
            KernelPolicy acceptsOther = new() { Accept = [other] };
            KernelSupport support = new(FakeMachine.With("series_not_listed"));
            Assert.Equal("series_not_listed", support.WhyNot(acceptsOther, CipherSuite.All[0], KernelDirection.Receive)?.Code);
        }
    }

    [Fact]
    public void A_missing_AEAD_costs_its_own_suites_only()
    {
        KernelSupport support = new(new FakeMachine
        {
            InstallError = (suite, _) => suite.Aead == AeadAlgorithm.ChaCha20Poly1305 ? LibC.ENOENT : 0,
        });
        Assert.All(CipherSuite.All, suite => Assert.Equal(
            suite.Aead == AeadAlgorithm.ChaCha20Poly1305 ? "no_aead" : null,
            support.WhyNot(new KernelPolicy(), suite, KernelDirection.Receive)?.Code));

        KernelPolicy on = new() { Transmit = KernelUse.On };
        string refusal = Assert.Throws<KernelUnavailableException>(() => support.Demand(Listener(on))).Message;
        Assert.Contains("AEAD_CHACHA20_POLY1305", refusal, StringComparison.Ordinal);
        Assert.Contains("module chacha20poly1305", refusal, StringComparison.Ordinal);
        CipherSuite[] others = [.. CipherSuite.All.Where(suite => suite.Aead != AeadAlgorithm.ChaCha20Poly1305)];
        support.Demand(Listener(on, Policies.Default.Only(others)));
    }

    public static TheoryData<string> HiddenReadObstacles { get; } =
        ["no_io_uring", "io_uring_refused", "io_uring_failed", "memlock_too_small"];

    [Theory]
    [MemberData(nameof(HiddenReadObstacles))]
    public void Without_hidden_reads_TLS_12_is_received_in_user_space_and_all_else_stays(string obstacle)
    {
        FakeMachine machine = new() { NoHiddenReads = HiddenReadReason(obstacle) };
        KernelSupport support = new(machine);
        Assert.Equal(obstacle, support.WhyNoHiddenReads?.Code);
        foreach (CipherSuite suite in CipherSuite.All)
        {
            Assert.Null(support.WhyNot(new KernelPolicy(), suite, KernelDirection.Transmit));
            LayerReason? why = support.WhyNot(new KernelPolicy(), suite, KernelDirection.Receive);
            Assert.Equal(suite.Version == TlsVersion.Tls12 ? "tls12_needs_hidden_receive" : null, why?.Code);
            Assert.Contains(machine.NoHiddenReads!.Sentence, why?.Sentence ?? machine.NoHiddenReads.Sentence, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(machine.Tested, t => t.Direction == KernelDirection.Receive && t.Suite.Version == TlsVersion.Tls12);
        Assert.DoesNotContain(machine.Tested, t => t.Hidden);
        Assert.Throws<KernelUnavailableException>(() => support.Demand(Listener(new() { Receive = KernelUse.On })));
        support.Demand(Listener(new() { Receive = KernelUse.On }, Tls13));
        support.Demand(Listener(new() { Transmit = KernelUse.On }));
    }

    [Fact]
    public void What_the_machine_was_short_of_for_hidden_reads_is_asked_again()
    {
        FakeMachine machine = new() { NoHiddenReads = LayerReasons.IoUring(SyscallResult.FromError(LibC.ENOMEM)) };
        KernelSupport support = new(machine);
        Assert.Equal("self_test_inconclusive", support.WhyNot(new KernelPolicy(), TestRecords.Tls12, KernelDirection.Receive)?.Code);
        Assert.Null(support.WhyNot(new KernelPolicy(), TestRecords.Tls13, KernelDirection.Receive));

        machine.NoHiddenReads = null;
        support.Test();
        Assert.Null(support.WhyNoHiddenReads);
        Assert.Null(support.WhyNot(new KernelPolicy(), TestRecords.Tls12, KernelDirection.Receive));
    }

    [Fact]
    public void Only_the_limit_of_pinned_memory_is_called_that()
    {
        Assert.Equal("memlock_too_small", LayerReasons.NotPinned(PagePoolException.NotPinned(1 << 20, "ENOMEM"), 1 << 20).Code);
        Assert.Equal("pages_not_pinned", LayerReasons.NotPinned(new PagePoolException("EMFILE"), 1 << 20).Code);
    }

    [Fact]
    public void Loops_without_hidden_pages_count_for_receive_On_as_a_machine_without()
    {
        KernelSupport support = new(new FakeMachine());
        support.GiveUpHiddenReads(LayerReasons.MemlockTooSmall(8 << 20));
        Assert.Equal("memlock_too_small", support.WhyNoHiddenReads?.Code);
        Assert.Null(support.WhyNot(new KernelPolicy(), TestRecords.Tls13, KernelDirection.Receive));
        Assert.Null(support.WhyNot(new KernelPolicy(), TestRecords.Tls12, KernelDirection.Transmit));
        Assert.Equal("tls12_needs_hidden_receive", support.WhyNot(new KernelPolicy(), TestRecords.Tls12, KernelDirection.Receive)?.Code);
        string refusal = Assert.Throws<KernelUnavailableException>(
            () => support.Demand(Listener(new() { Receive = KernelUse.On }))).Message;
        Assert.Contains("8192 KiB", refusal, StringComparison.Ordinal);
        Assert.Contains("LimitMEMLOCK", refusal, StringComparison.Ordinal);
        Assert.Contains("or serve TLS 1.3 alone", refusal, StringComparison.Ordinal);
        support.Demand(Listener(new() { Receive = KernelUse.On }, Tls13));
    }

    [Fact]
    public void Rekey_is_what_the_kernel_answers()
    {
        Assert.True(new KernelSupport(new FakeMachine()).SupportsRekey);
        Assert.False(new KernelSupport(new FakeMachine { RekeyError = LibC.EBUSY }).SupportsRekey);
        Assert.False(new KernelSupport(FakeMachine.With("no_tls_module")).SupportsRekey);
    }

    [Fact]
    public void A_release_that_states_no_version_is_not_trusted() => Assert.Equal(
        "series_not_listed",
        new KernelSupport(new FakeMachine { Release = FakeMachine.Linux("mine") })
            .WhyNot(new KernelPolicy(), CipherSuite.All[0], KernelDirection.Transmit)?.Code);

    [Fact]
    public void The_reasons_for_no_ring_are_told_apart()
    {
        Assert.Equal("no_io_uring", LayerReasons.IoUring(SyscallResult.FromError(LibC.ENOSYS)).Code);
        Assert.Equal("io_uring_refused", LayerReasons.IoUring(SyscallResult.FromError(LibC.EPERM)).Code);
        Assert.Equal("io_uring_failed", LayerReasons.IoUring(SyscallResult.FromError(LibC.EINVAL)).Code);
        Assert.Equal("self_test_inconclusive", LayerReasons.IoUring(SyscallResult.FromError(LibC.ENFILE)).Code);
    }

    private static LayerReason HiddenReadReason(string code) => code switch
    {
        "no_io_uring" => LayerReasons.NoIoUring,
        "io_uring_refused" => LayerReasons.IoUringRefused,
        "io_uring_failed" => LayerReasons.IoUring(SyscallResult.FromError(LibC.EINVAL)),
        _ => LayerReasons.MemlockTooSmall(128 << 10),
    };

    private static HandshakePolicy Tls13 => Policies.Default with { MinimumVersion = TlsVersion.Tls13 };

    private static TlsListenerOptions Listener(KernelPolicy kernel) => Listener(kernel, Policies.Default);

    private static TlsListenerOptions Listener(KernelPolicy kernel, HandshakePolicy handshake) =>
        new() { Name = "https", Kernel = kernel, Handshake = handshake };
}
