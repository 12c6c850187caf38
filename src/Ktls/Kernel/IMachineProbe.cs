using Aead;

namespace Ktls.Kernel;

/// <summary>
/// Every question the policy of kernel TLS asks this machine, so that each answer can be had in a test. A pair of sockets on the loopback
/// is made for each; when that fails, its error is the answer. Bounded in time. Not thread-safe.
/// </summary>
internal interface IMachineProbe
{
    /// <summary>The running kernel.</summary>
    KernelRelease Release { get; }

    /// <summary>The kernel's package brought the module tls, loaded or not.</summary>
    bool HasTlsModule { get; }

    /// <summary>Makes a socket one of kTLS.</summary>
    SyscallResult Attach();

    /// <summary>Installs keys in one direction of a kTLS socket.</summary>
    SyscallResult Install(CipherSuite suite, KernelDirection direction);

    /// <summary>Installs keys, then those behind a KeyUpdate.</summary>
    SyscallResult Rekey();

    /// <summary>Null: a ring and pages for hidden reads can be had. Otherwise why not.</summary>
    LayerReason? WhyNoHiddenReads();

    /// <summary>Compares the kernel's records with ours, and hands it records that were tampered with.</summary>
    /// <param name="suite">What protects them.</param>
    /// <param name="direction">Which half the kernel does.</param>
    /// <param name="hidden">Receive: also by hidden reads.</param>
    SelfTestVerdict Test(CipherSuite suite, KernelDirection direction, bool hidden);
}

/// <summary>How a self-test ended.</summary>
internal enum SelfTestOutcome
{
    /// <summary>The kernel did what it has to.</summary>
    Passed,

    /// <summary>The kernel did something else: it is not to be trusted.</summary>
    Failed,

    /// <summary>The test could not be made: no descriptors, no memory, no loopback, no time.</summary>
    Inconclusive,

    /// <summary>There is nothing to test: the kernel does not offer it.</summary>
    NotOffered,
}

/// <summary>The result of one self-test.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Detail">What went wrong, in a few words; empty when it passed.</param>
/// <param name="AcceptedForgery">A tampered record was taken for genuine.</param>
internal readonly record struct SelfTestVerdict(SelfTestOutcome Outcome, string Detail = "", bool AcceptedForgery = false)
{
    public static SelfTestVerdict Passed { get; } = new(SelfTestOutcome.Passed);

    public static SelfTestVerdict Failed(string fault) => new(SelfTestOutcome.Failed, fault);

    public static SelfTestVerdict Inconclusive(string hindrance) => new(SelfTestOutcome.Inconclusive, hindrance);

    public static SelfTestVerdict Forged(string fault) => new(SelfTestOutcome.Failed, fault, AcceptedForgery: true);
}
