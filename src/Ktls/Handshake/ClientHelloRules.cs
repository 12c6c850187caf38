using Org.BouncyCastle.Tls;

namespace Ktls.Handshake;

/// <summary>What RFC 8446 demands of a ClientHello and BouncyCastle does not check.</summary>
internal static class ClientHelloRules
{
    /// <summary>Whether legacy_compression_methods holds more than null.</summary>
    /// <param name="message">A whole ClientHello that has been parsed without fault.</param>
    public static bool OffersCompression(ReadOnlySpan<byte> message)
    {
        const int SessionIdAt = 4 + 2 + 32;
        ReadOnlySpan<byte> rest = message[SessionIdAt..];
        rest = rest[(1 + rest[0])..];
        rest = rest[(2 + ((rest[0] << 8) | rest[1]))..];
        return rest[0] != 1;
    }

    // DTLS 1.1 was never published. BouncyCastle has no way to hold its number and fails inside.

    /// <summary>Refuses the reserved version as legacy_version.</summary>
    /// <param name="message">A whole ClientHello, not parsed yet.</param>
    public static void RequireKnownVersion(ReadOnlySpan<byte> message)
    {
        if (message[4..] is [ReservedVersionByte, ReservedVersionByte, ..])
        {
            throw ReservedVersion();
        }
    }

    /// <summary>Refuses the reserved version in supported_versions.</summary>
    public static void RequireKnownVersions(ClientHello hello)
    {
        byte[]? versions = null;
        hello.Extensions?.TryGetValue(ExtensionType.supported_versions, out versions);
        for (int i = 1; i + 1 < versions?.Length; i += 2)
        {
            if (versions[i] == ReservedVersionByte && versions[i + 1] == ReservedVersionByte)
            {
                throw ReservedVersion();
            }
        }
    }

    /// <summary>RFC 8446 §4.1.2: the second ClientHello is the first one but for a few extensions.</summary>
    public static void RequireSame(ClientHello first, ClientHello second)
    {
        bool same = first.Random.AsSpan().SequenceEqual(second.Random)
            && first.SessionID.AsSpan().SequenceEqual(second.SessionID)
            && first.CipherSuites.AsSpan().SequenceEqual(second.CipherSuites)
            && Constant(first).Count() == Constant(second).Count()
            && Constant(first).All(extension => second.Extensions.TryGetValue(extension.Key, out byte[]? data)
                && data.AsSpan().SequenceEqual(extension.Value));
        if (!same)
        {
            throw new HandshakeException(AlertDescription.illegal_parameter,
                "The client changed its ClientHello after a HelloRetryRequest.");
        }
    }

    /// <summary>
    /// The groups a client sent key shares for. RFC 8446 §4.2.8: none twice, and none it does not support.
    /// </summary>
    public static int[] KeyShareGroups(ClientHello hello, int[] supportedGroups)
    {
        IList<KeyShareEntry> shares = TlsExtensionsUtilities.GetKeyShareClientHello(hello.Extensions)
            ?? throw new HandshakeException(AlertDescription.missing_extension,
                "The client sent no key_share.");
        int[] groups = [.. shares.Select(share => share.NamedGroup)];
        if (groups.Distinct().Count() != groups.Length || groups.Except(supportedGroups).Any())
        {
            throw new HandshakeException(AlertDescription.illegal_parameter,
                "The client's key shares repeat a group or name one it does not support.");
        }

        foreach (KeyShareEntry share in shares)
        {
            KeyExchangeGroup? group =
                KeyExchangeGroup.All.FirstOrDefault(known => known.Id == share.NamedGroup);
            if (group is not null && share.KeyExchange.Length != group.ClientShareLength)
            {
                throw new HandshakeException(AlertDescription.illegal_parameter,
                    $"The client's key share for {group} has a wrong length.");
            }
        }

        return groups;
    }

    /// <summary>The host name of server_name in lower case, or null (RFC 6066 §3).</summary>
    public static string? ReadServerName(IList<Org.BouncyCastle.Tls.ServerName>? names)
    {
        byte[]? hostName = names?.FirstOrDefault(name => name.NameType == NameType.host_name)?.NameData;
        if (hostName is null)
        {
            return null;
        }

        return ServerName.TryRead(hostName, out string? name)
            ? name
            : throw new HandshakeException(AlertDescription.illegal_parameter,
                "The client's server_name is no host name.");
    }

    private static HandshakeException ReservedVersion() =>
        new(AlertDescription.illegal_parameter, "The client offers a version that does not exist.");

    private static IEnumerable<KeyValuePair<int, byte[]>> Constant(ClientHello hello) =>
        hello.Extensions.Where(extension => extension.Key is not (ExtensionType.key_share
            or ExtensionType.early_data or ExtensionType.cookie or ExtensionType.pre_shared_key
            or ExtensionType.padding));

    // Of 0xFEFE, both.
    private const byte ReservedVersionByte = 0xFE;
}
