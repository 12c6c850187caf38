using Aead;
using TestKit.Network;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>The man in the middle, with the product's own choice of record layers.</summary>
[Trait("Claim", "C1")]
[Trait("Claim", "C2")]
public sealed class TamperingTests(OriginFixture origins)
    : InterferenceTests(origins.Proxy, origins.Kestrel), IClassFixture<OriginFixture>
{
    [Theory]
    [MemberData(nameof(AllRows))]
    public async Task AnInterferedUploadEndsAtItsLastAuthenticByte(
        InterferenceKind kind, int record, TlsVersion version, bool chunked) =>
        await AssertUploadEndsAtItsLastAuthenticByteAsync(kind, record, version, chunked);
}
