using Aead;
using Ktls.Kernel;

namespace Ktls.Tests.Kernel;

/// <summary>A machine without kernel TLS.</summary>
internal sealed class NoKernelSupport : IKernelSupport
{
    public bool SupportsRekey => false;

    public LayerReason? WhyNoHiddenReads => LayerReasons.NoIoUring;

    public LayerReason? WhyNot(KernelPolicy policy, CipherSuite suite, KernelDirection direction) => LayerReasons.NoTlsModule;
}
