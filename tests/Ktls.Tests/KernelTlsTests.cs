using Aead;
using Aead.Algorithms;
using Ktls.Kernel;
using Ktls.Tests.Handshake;
using Ktls.Tests.Kernel;
using Tmds.Linux;
using Xunit;

namespace Ktls.Tests;

/// <summary>Do people read what the connections will find?</summary>
public sealed class KernelTlsTests
{
    [Fact]
    public void A_machine_that_offers_all_is_described_in_a_word()
    {
        KernelTls kernel = new(new KernelSupport(new FakeMachine()));
        Assert.Equal("kernel", kernel.DescribeTransmit(Listener()));
        Assert.Equal("kernel", kernel.DescribeReceive(Listener()));
        Assert.Equal("user space (it is set to Off)", kernel.DescribeReceive(Listener(KernelPolicy.Off)));
    }

    [Fact]
    public void What_is_in_user_space_is_named_with_the_reason()
    {
        KernelTls kernel = new(new KernelSupport(new FakeMachine
        {
            NoHiddenReads = LayerReasons.NoIoUring,
            InstallError = (suite, direction) => suite.Aead == AeadAlgorithm.ChaCha20Poly1305 ? LibC.ENOENT : 0,
        }));
        Assert.Equal(
            "kernel, but TLS 1.3 AEAD_CHACHA20_POLY1305, TLS 1.2 AEAD_CHACHA20_POLY1305 in user space ("
            + LayerReasons.NoAead(AeadAlgorithm.ChaCha20Poly1305).Sentence + ")",
            kernel.DescribeTransmit(Listener()));
        string receive = kernel.DescribeReceive(Listener());
        Assert.Contains(
            "TLS 1.2 AEAD_AES_128_GCM, TLS 1.2 AEAD_AES_256_GCM in user space (the kernel receives TLS 1.2 into", receive,
            StringComparison.Ordinal);
        Assert.Equal("kernel", kernel.DescribeReceive(Listener(handshake: Policies.Default.Only(CipherSuite.All[0]))));
    }

    [Fact]
    public void A_machine_without_kernel_TLS_is_described_with_the_remedy()
    {
        KernelTls kernel = new(new KernelSupport(FakeMachine.With("tls_module_not_loaded")));
        Assert.Equal($"user space ({LayerReasons.TlsModuleNotLoaded.Sentence})", kernel.DescribeTransmit(Listener()));
        Assert.Contains(kernel.Lines(), line =>
            line.Subject == "kernel TLS" && line.Finding.StartsWith("receive: user space (", StringComparison.Ordinal));
        Assert.Contains(kernel.Lines(), line => line.Finding == "TLS 1.2 AEAD_AES_256_GCM: transmit not offered, receive not offered");
        Assert.Contains(kernel.Lines(), line => line is { Subject: "KeyUpdate", Finding: "not known" });
    }

    [Fact]
    public void This_machine_can_be_looked_at()
    {
        KernelTlsLine[] lines = [.. KernelTls.OfThisMachine().Lines()];
        Assert.Equal(6, lines.Count(line => line.Subject == "self-test"));
        Assert.Equal(["floors", "hidden reads", "kernel", "kernel TLS", "KeyUpdate", "self-test"],
            lines.Select(line => line.Subject).Distinct().Order(StringComparer.OrdinalIgnoreCase));
    }

    private static TlsListenerOptions Listener(KernelPolicy? kernel = null, Ktls.Handshake.HandshakePolicy? handshake = null) =>
        new() { Name = "https", Kernel = kernel ?? new KernelPolicy(), Handshake = handshake ?? Policies.Default };
}
