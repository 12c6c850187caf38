using Aead;
using Ktls.Kernel;
using Tmds.Linux;

namespace Ktls.Tests.Kernel;

/// <summary>A machine whose every answer is a test's to choose. By default it offers and does everything right.</summary>
internal sealed class FakeMachine : IMachineProbe
{
    public KernelRelease Release { get; set; } = Linux("7.2.7");

    public bool HasTlsModule { get; set; } = true;

    public int AttachError { get; set; }

    public int RekeyError { get; set; }

    public LayerReason? NoHiddenReads { get; set; }

    public Func<CipherSuite, KernelDirection, int> InstallError { get; set; } = (_, _) => 0;

    public Func<CipherSuite, KernelDirection, SelfTestVerdict> Verdict { get; set; } = (_, _) => SelfTestVerdict.Passed;

    public List<(CipherSuite Suite, KernelDirection Direction, bool Hidden)> Tested { get; } = [];

    public int Attached { get; private set; }

    public SyscallResult Attach()
    {
        Attached++;
        return SyscallResult.FromError(AttachError);
    }

    public SyscallResult Install(CipherSuite suite, KernelDirection direction) => SyscallResult.FromError(InstallError(suite, direction));

    public SyscallResult Rekey() => SyscallResult.FromError(RekeyError);

    public LayerReason? WhyNoHiddenReads() => NoHiddenReads;

    public SelfTestVerdict Test(CipherSuite suite, KernelDirection direction, bool hidden)
    {
        Tested.Add((suite, direction, hidden));
        return Verdict(suite, direction);
    }

    public static KernelRelease Linux(string release) => KernelRelease.Parse(release, "", "");

    /// <summary>The lines of the fallback table: what is wrong with a machine, by the code it must give.</summary>
    public static FakeMachine With(string obstacle) => obstacle switch
    {
        "no_tls_module" => new() { AttachError = LibC.ENOENT, HasTlsModule = false },
        "tls_module_not_loaded" => new() { AttachError = LibC.ENOENT },
        "attach_refused" => new() { AttachError = LibC.EPERM },
        "no_aead" => new() { InstallError = (_, _) => LibC.ENOENT },
        "install_refused" => new() { InstallError = (_, _) => LibC.EPERM },
        "below_floor" => new() { Release = Linux("6.12.54") },
        "series_not_listed" => new() { Release = Linux("5.14.0-503.el9.x86_64") },
        "self_test_failed" => new() { Verdict = (_, _) => SelfTestVerdict.Failed("a byte differs") },
        "self_test_inconclusive" => new() { Verdict = (_, _) => SelfTestVerdict.Inconclusive("ENOBUFS") },
        _ => throw new ArgumentException(obstacle, nameof(obstacle)),
    };
}
