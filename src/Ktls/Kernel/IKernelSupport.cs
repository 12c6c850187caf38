using Aead;

namespace Ktls.Kernel;

/// <summary>Why a direction is in user space.</summary>
/// <param name="Code">A word for metrics, for example no_tls_module.</param>
/// <param name="Sentence">What is missing and the remedy, to follow a colon or a "but": no capital, no full stop.</param>
internal sealed record LayerReason(string Code, string Sentence);

/// <summary>What this machine's kernel may be trusted with: probed and self-tested, at start and again at an interval. Thread-safe.</summary>
internal interface IKernelSupport
{
    /// <summary>The kernel takes new keys behind a KeyUpdate (Linux 6.14).</summary>
    bool SupportsRekey { get; }

    /// <summary>
    /// Null when records can be read into hidden pages (io_uring, and pages that can be pinned). Otherwise the reason: TLS 1.3 is then
    /// received as copies the kernel has verified, TLS 1.2 in user space.
    /// </summary>
    LayerReason? WhyNoHiddenReads { get; }

    /// <summary>A connected socket, as kTLS sees it.</summary>
    IKernelTls Open(int descriptor) => new KernelTlsSocket(descriptor);

    /// <summary>Null: the kernel protects this direction. Otherwise why user space does. Called for every connection.</summary>
    LayerReason? WhyNot(KernelPolicy policy, CipherSuite suite, KernelDirection direction);
}
