using System.Collections.Immutable;

namespace Ktls.Handshake;

/// <summary>
/// The identities of a listener; the first one is the default for an unknown or absent name. Immutable; does
/// not own its members.
/// </summary>
public sealed class ServerIdentitySet
{
    private readonly Dictionary<string, ImmutableArray<ServerIdentity>> _byName = new(StringComparer.Ordinal);
    private readonly ImmutableArray<ServerIdentity> _default;

    /// <summary>At least one.</summary>
    /// <exception cref="ArgumentException">None.</exception>
    public ServerIdentitySet(IReadOnlyList<ServerIdentity> identities)
    {
        ArgumentNullException.ThrowIfNull(identities);
        if (identities.Count == 0)
        {
            throw new ArgumentException("A listener needs at least one certificate.", nameof(identities));
        }

        foreach (ServerIdentity identity in identities)
        {
            foreach (string name in identity.ServerNames)
            {
                _byName[name] = _byName.GetValueOrDefault(name, []).Add(identity);
            }
        }

        // An ECDSA and an RSA certificate for one name are one default: whoever serves a name of the first
        // one.
        ServerIdentity first = identities[0];
        _default =
        [
            first,
            .. identities.Skip(1).Where(other => other.ServerNames.Intersect(first.ServerNames).Any()),
        ];
    }

    /// <summary>
    /// All that serve this name (exact before wildcard), else those of the default; never empty.
    /// </summary>
    /// <param name="serverName">Lower case, or null when the client named none.</param>
    public ImmutableArray<ServerIdentity> Select(string? serverName)
    {
        if (serverName is null)
        {
            return _default;
        }

        if (_byName.TryGetValue(serverName, out ImmutableArray<ServerIdentity> exact))
        {
            return exact;
        }

        return ServerName.ToWildcard(serverName) is { } pattern
            && _byName.TryGetValue(pattern, out ImmutableArray<ServerIdentity> wildcard)
            ? wildcard
            : _default;
    }
}
