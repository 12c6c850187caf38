using Aead;
using Ktls.Handshake;

namespace Ktls.Tests.Handshake;

internal static class Policies
{
    public static HandshakePolicy For(params ServerIdentity[] identities) =>
        new() { Identities = new ServerIdentitySet(identities) };

    public static HandshakePolicy Default { get; } = For(TestIdentities.Ecdsa, TestIdentities.Rsa);

    public static HandshakePolicy With(this HandshakePolicy policy, params string[] groups) =>
        policy with { Groups = [.. groups.Select(name => KeyExchangeGroup.Find(name)!)] };

    public static HandshakePolicy Only(this HandshakePolicy policy, params CipherSuite[] suites) =>
        policy with { CipherSuites = [.. suites] };

    public static HandshakePolicy Only(this HandshakePolicy policy, TlsVersion version) =>
        policy with { CipherSuites = [.. CipherSuite.All.Where(suite => suite.Version == version)] };
}
