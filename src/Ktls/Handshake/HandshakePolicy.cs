using System.Collections.Immutable;
using Aead;

namespace Ktls.Handshake;

/// <summary>What a listener negotiates. Immutable; swapped whole on reload.</summary>
public sealed record HandshakePolicy
{
    /// <summary>Defaults to TLS 1.2.</summary>
    public TlsVersion MinimumVersion { get; init; } = TlsVersion.Tls12;

    /// <summary>In the server's order of preference, which decides. Defaults to all.</summary>
    public ImmutableArray<CipherSuite> CipherSuites { get; init; } = CipherSuite.All;

    /// <summary>Those of <see cref="CipherSuites"/> that a client can come to: not below <see cref="MinimumVersion"/>.</summary>
    internal IEnumerable<CipherSuite> SuitesInUse => CipherSuites.Where(suite => suite.Version >= MinimumVersion);

    /// <summary>
    /// In the server's order of preference. Defaults to X25519MLKEM768, X25519, P-256, P-384.
    /// </summary>
    public ImmutableArray<KeyExchangeGroup> Groups { get; init; } = KeyExchangeGroup.All;

    /// <summary>ALPN protocols in the server's order of preference. Defaults to h2, http/1.1.</summary>
    public ImmutableArray<string> ApplicationProtocols { get; init; } = ["h2", "http/1.1"];

    /// <summary>Certificates and keys.</summary>
    public required ServerIdentitySet Identities { get; init; }
}
