using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aead;

namespace Ktls.Handshake;

/// <summary>A certificate chain, its private key and the names it serves. Owns the key.</summary>
public sealed class ServerIdentity : IDisposable
{
    /// <summary>Takes <paramref name="key"/> over. The key must match the leaf.</summary>
    /// <param name="chain">Leaf first, DER.</param>
    /// <param name="key">ECDSA on P-256, P-384 or P-521, or RSA of at least 2048 bits.</param>
    /// <param name="serverNames">Exact names or one-label wildcards; empty: from the leaf's subject alternative names.</param>
    /// <exception cref="ArgumentException">Key kind, size or match is wrong; the message is a sentence for the operator.</exception>
    public ServerIdentity(IReadOnlyList<X509Certificate2> chain, AsymmetricAlgorithm key, IReadOnlyList<string> serverNames) => throw null!;

    /// <summary>Ecdsa or Rsa.</summary>
    public CertificateKind Kind => throw null!;

    /// <summary>Lower-case names.</summary>
    public ImmutableArray<string> ServerNames => throw null!;

    /// <summary>The leaf's end of validity, UTC.</summary>
    public DateTimeOffset NotAfter => throw null!;

    /// <inheritdoc/>
    public void Dispose() => throw null!;
}

/// <summary>The identities of a listener; the first one is the default for an unknown or absent name.</summary>
public sealed class ServerIdentitySet
{
    /// <summary>At least one.</summary>
    public ServerIdentitySet(IReadOnlyList<ServerIdentity> identities) => throw null!;

    /// <summary>All that serve this name (exact before wildcard), else those of the default; never empty.</summary>
    public ImmutableArray<ServerIdentity> Select(string? serverName) => throw null!;
}
