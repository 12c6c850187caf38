using System.Collections.Immutable;

namespace Ktls.Handshake;

/// <summary>A named group (RFC 8446 §4.2.7) as data.</summary>
public sealed class KeyExchangeGroup
{
    /// <summary>Every group offered, in the default order of preference.</summary>
    public static ImmutableArray<KeyExchangeGroup> All => throw null!;

    /// <summary>The two bytes on the wire.</summary>
    public int Id => throw null!;

    /// <summary>X25519MLKEM768, X25519, P-256 or P-384.</summary>
    public string Name => throw null!;

    /// <summary>The group of this name (case-insensitive; secp256r1 and secp384r1 are accepted too), or null.</summary>
    public static KeyExchangeGroup? Find(string name) => throw null!;
}
