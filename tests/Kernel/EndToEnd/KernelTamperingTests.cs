using Aead;
using TestKit.Network;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>The man in the middle, between a client and a kernel that both sends and receives.</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
[Trait("Claim", "C1")]
public sealed class TamperingOnBothTests(KernelProxies proxies) : InterferenceTests(proxies[LayerChoice.Both], proxies.Kestrel)
{
    [Theory]
    [MemberData(nameof(AllRows))]
    public async Task AnInterferedUploadEndsAtItsLastAuthenticByte(
        InterferenceKind kind, int record, TlsVersion version, bool chunked) =>
        await AssertUploadEndsAtItsLastAuthenticByteAsync(kind, record, version, chunked);
}

/// <summary>The same with a kernel that only receives: the alert is sent by the proxy.</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
[Trait("Claim", "C1")]
public sealed class TamperingOnReceiveOnlyTests(KernelProxies proxies) : InterferenceTests(proxies[LayerChoice.ReceiveOnly], proxies.Kestrel)
{
    [Theory]
    [MemberData(nameof(OneRowOfEachKind))]
    public async Task AnInterferedUploadEndsAtItsLastAuthenticByte(
        InterferenceKind kind, int record, TlsVersion version, bool chunked) =>
        await AssertUploadEndsAtItsLastAuthenticByteAsync(kind, record, version, chunked);
}

/// <summary>The same with a kernel that only sends: the forgery is found by the proxy.</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
[Trait("Claim", "C1")]
public sealed class TamperingOnTransmitOnlyTests(KernelProxies proxies) : InterferenceTests(proxies[LayerChoice.TransmitOnly], proxies.Kestrel)
{
    [Theory]
    [MemberData(nameof(OneRowOfEachKind))]
    public async Task AnInterferedUploadEndsAtItsLastAuthenticByte(
        InterferenceKind kind, int record, TlsVersion version, bool chunked) =>
        await AssertUploadEndsAtItsLastAuthenticByteAsync(kind, record, version, chunked);
}
