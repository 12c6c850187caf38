using Aead;
using Ktls.Kernel;
using Ktls.Tests.Kernel;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>Who has to go when the kernel turns out to accept forgeries?</summary>
public class TransportDistrustTests
{
    [Fact]
    public async Task A_forgery_the_kernel_accepts_ends_the_connections_it_receives_and_no_others()
    {
        FakeMachine machine = new() { NoHiddenReads = LayerReasons.NoIoUring };
        KernelSupport support = new(machine);
        using KernelWatch watch = new(support);
        await using TransportHost host = await TransportHost.StartAsync(
            kernel: new FakeKernels(support), policy: new KernelPolicy { Transmit = KernelUse.Off }, watch: watch);
        (_, ConnectionContext byKernel) = await host.ConnectAsync();
        Assert.Null(((TlsConnection)byKernel).Layers.WhyNotReceive);
        (RecordStream client, ConnectionContext inUserSpace) = await host.ConnectAsync(TlsVersion.Tls12);
        Assert.False(byKernel.Transport.Input.TryRead(out _));

        machine.Verdict = (_, direction) =>
            direction == KernelDirection.Receive ? SelfTestVerdict.Forged("4 bytes") : SelfTestVerdict.Passed;
        support.Test();

        Assert.Throws<ConnectionAbortedException>(() => byKernel.Transport.Input.TryRead(out _));
        client.Send([1]);
        Assert.Equal([1], await TlsConnectionTests.ReadAsync(inUserSpace, 1));
        (client, ConnectionContext next) = await host.ConnectAsync();
        client.Send([2]);
        Assert.Equal([2], await TlsConnectionTests.ReadAsync(next, 1));
    }

    // A machine whose every socket is a fake kernel: nothing arrives there, and nothing has to.
    private sealed class FakeKernels(KernelSupport support) : IKernelSupport
    {
        public bool SupportsRekey => support.SupportsRekey;

        public LayerReason? WhyNoHiddenReads => support.WhyNoHiddenReads;

        public IKernelTls Open(int descriptor) => new FakeKernel(descriptor: descriptor);

        public LayerReason? WhyNot(KernelPolicy policy, CipherSuite suite, KernelDirection direction) =>
            support.WhyNot(policy, suite, direction);
    }
}
