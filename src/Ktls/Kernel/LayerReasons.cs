using Aead.Algorithms;
using Aead.Pages;

namespace Ktls.Kernel;

/// <summary>
/// Every reason for a direction to be in user space. The codes are a contract with whoever watches the metric tlsproxy.connections;
/// docs/operations.md lists them.
/// </summary>
internal static class LayerReasons
{
    /// <summary>The listener does not want the kernel.</summary>
    public static LayerReason OffBySetting { get; } = new("off_by_setting", "it is set to Off");

    /// <summary>The kernel was built without kTLS.</summary>
    public static LayerReason NoTlsModule { get; } = new(
        "no_tls_module", "this kernel has no module tls; boot one that was built with CONFIG_TLS");

    /// <summary>The kernel loads it on demand for root alone (net/ipv4/tcp_ulp.c).</summary>
    public static LayerReason TlsModuleNotLoaded { get; } = new(
        "tls_module_not_loaded",
        "the module tls is not loaded, and only root may; run 'modprobe tls' and 'echo tls > /etc/modules-load.d/tls.conf' as root");

    /// <summary>The socket takes no ULP although nothing says why.</summary>
    public static LayerReason AttachRefused(SyscallResult refusal) => new(
        "attach_refused", $"the kernel answers TCP_ULP with {refusal.ErrorName}; see the log of the security module or container that forbids it");

    /// <summary>kTLS is there, the algorithm is not.</summary>
    public static LayerReason NoAead(AeadAlgorithm aead) => new(
        "no_aead", $"this kernel has no {aead.Name} for TLS; install its module {ModuleOf(aead)} (with the kernel's package of modules)");

    /// <summary>The kernel refuses keys although nothing says why.</summary>
    public static LayerReason InstallRefused(SyscallResult refusal) => new(
        "install_refused", $"the kernel refuses the keys with {refusal.ErrorName}; 'TlsProxy doctor' shows whether it always does");

    /// <summary>A known defect.</summary>
    public static LayerReason BelowFloor(KernelRelease release, string defect, KernelVersion fixedIn) => new(
        "below_floor",
        $"Linux {release} has {defect}; "
        + $"upgrade it to {fixedIn} or later, or name {release.Name} in Kernel:Accept if its vendor has fixed it");

    /// <summary>Nothing is known to be fixed in this series.</summary>
    public static LayerReason SeriesNotListed(KernelRelease release, string defect) => new(
        "series_not_listed",
        $"no release of the series of Linux {release} is known to be free of {defect}; "
        + $"use another series, or name {release.Name} in Kernel:Accept if its vendor has fixed it");

    /// <summary>What the kernel answered was wrong. Final until the next start.</summary>
    public static LayerReason SelfTestFailed(string fault) => new(
        "self_test_failed",
        $"the self-test failed: {fault}; this kernel is not trusted with it until the next start, report the fault to its vendor");

    /// <summary>The test could not be made. It is tried again.</summary>
    public static LayerReason SelfTestInconclusive(string hindrance) => new(
        InconclusiveCode,
        $"the self-test could not be made: {hindrance}; it is repeated, and the kernel is used when it has passed");

    /// <summary>Hidden reads: Linux before 5.1, or built without.</summary>
    public static LayerReason NoIoUring { get; } = new(
        "no_io_uring", "this kernel has no io_uring; boot one that was built with CONFIG_IO_URING");

    /// <summary>Hidden reads: forbidden.</summary>
    public static LayerReason IoUringRefused { get; } = new(
        "io_uring_refused",
        "io_uring is refused; set kernel.io_uring_disabled to 0, and in a container allow io_uring in its seccomp profile");

    /// <summary>Hidden reads: not enough memory may be pinned.</summary>
    public static LayerReason MemlockTooSmall(long bytes) => new(
        "memlock_too_small",
        $"pages for hidden reads cannot be pinned, {bytes >> 10} KiB in all; raise RLIMIT_MEMLOCK (LimitMEMLOCK=256M in a systemd unit)");

    /// <summary>Hidden reads: why pages are not pinned.</summary>
    /// <param name="refused">What the pages' maker said.</param>
    /// <param name="bytes">What all rings together asked for.</param>
    public static LayerReason NotPinned(PagePoolException refused, long bytes) =>
        refused.IsPinLimit ? MemlockTooSmall(bytes) : new LayerReason("pages_not_pinned", $"hidden reads have no pages: {refused.Message}");

    /// <summary>Hidden reads: this process came up without them, and a later test would allow them.</summary>
    public static LayerReason NotEquipped { get; } = new("not_equipped", "this process has set none up; restart it");

    /// <summary>Hidden reads: why there is no ring. What the machine is short of, it may have a while later.</summary>
    public static LayerReason IoUring(SyscallResult refusal) =>
        refusal.NoSuchCall ? NoIoUring
        : refusal.NotPermitted ? IoUringRefused
        : refusal.OutOfResources ? SelfTestInconclusive($"io_uring answers {refusal.ErrorName}")
        : new LayerReason("io_uring_failed", $"io_uring answers {refusal.ErrorName}; 'TlsProxy doctor' shows whether it always does");

    /// <summary>TLS 1.2: the kernel writes plaintext into the reader's memory before the tag is checked.</summary>
    public static LayerReason Tls12NeedsHiddenReceive(LayerReason whyNoHiddenReads) => new(
        "tls12_needs_hidden_receive",
        $"the kernel receives TLS 1.2 into hidden pages only, and {whyNoHiddenReads.Sentence}; or serve TLS 1.3 alone (MinimumTls)");

    /// <summary>The client had already closed its side, and kTLS wants an established connection.</summary>
    public static LayerReason NotEstablished { get; } = new("not_established", "the client had already closed its side");

    private static string ModuleOf(AeadAlgorithm aead) => aead == AeadAlgorithm.ChaCha20Poly1305 ? "chacha20poly1305" : "gcm";

    /// <summary>The one reason that may be gone a while later, without a restart.</summary>
    public const string InconclusiveCode = "self_test_inconclusive";
}
