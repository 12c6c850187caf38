using System.Collections.Immutable;

namespace Ktls.Handshake;

/// <summary>A named group (RFC 8446 §4.2.7) as data.</summary>
public sealed class KeyExchangeGroup
{
    private KeyExchangeGroup(int id, string name, string alias, int clientShareLength, bool isInTls12)
    {
        Id = id;
        Name = name;
        Alias = alias;
        ClientShareLength = clientShareLength;
        IsInTls12 = isInTls12;
    }

    /// <summary>Every group offered, in the default order of preference.</summary>
    public static ImmutableArray<KeyExchangeGroup> All { get; } =
    [
        // draft-ietf-tls-ecdhe-mlkem: an ML-KEM-768 encapsulation key, then an X25519 public key.
        new(0x11EC, "X25519MLKEM768", "X25519MLKEM768", 1184 + 32, isInTls12: false),
        new(0x001D, "X25519", "X25519", 32, isInTls12: true),
        new(P256Id, "P-256", "secp256r1", 65, isInTls12: true),
        new(0x0018, "P-384", "secp384r1", 97, isInTls12: true),
    ];

    /// <summary>The two bytes on the wire.</summary>
    public int Id { get; }

    /// <summary>X25519MLKEM768, X25519, P-256 or P-384.</summary>
    public string Name { get; }

    /// <summary>Bytes of a client's key_exchange.</summary>
    internal int ClientShareLength { get; }

    /// <summary>Whether ECDHE of TLS 1.2 (RFC 8422) may use it.</summary>
    internal bool IsInTls12 { get; }

    private string Alias { get; }

    /// <summary>
    /// The group of this name (case-insensitive; secp256r1 and secp384r1 are accepted too), or null.
    /// </summary>
    public static KeyExchangeGroup? Find(string name)
    {
        foreach (KeyExchangeGroup group in All)
        {
            if (string.Equals(group.Name, name, StringComparison.OrdinalIgnoreCase)
                || string.Equals(group.Alias, name, StringComparison.OrdinalIgnoreCase))
            {
                return group;
            }
        }

        return null;
    }

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    /// <summary>
    /// secp256r1: what a TLS 1.2 client that names no groups is taken to support (RFC 8422 §4 leaves the
    /// choice).
    /// </summary>
    internal const int P256Id = 0x0017;
}
