using System.Collections.Immutable;
using Aead;
using Ktls.Handshake;

namespace TlsProxy.Config;

/// <summary>Parses what a listener negotiates into a <see cref="HandshakePolicy"/>.</summary>
internal static class HandshakePolicyReader
{
    public static HandshakePolicy Read(ListenerOptions options, ServerIdentitySet identities, string path, ConfigReport report)
    {
        TlsVersion minimum = ReadMinimum(options.MinimumTls, path, report);
        ImmutableArray<CipherSuite> suites = ReadNames(
            options.CipherSuites, CipherSuite.Find, CipherSuite.All, s => s.Name, $"{path}:CipherSuites", "cipher suite", report);
        ImmutableArray<KeyExchangeGroup> groups = ReadNames(
            options.Groups, KeyExchangeGroup.Find, KeyExchangeGroup.All, g => g.Name, $"{path}:Groups", "group", report);

        if (suites.Length > 0 && suites.All(s => s.Version < minimum))
        {
            report.Error(
                $"{path}:CipherSuites",
                $"no suite is left for MinimumTls {options.MinimumTls}; add {CipherSuite.All.First(s => s.Version >= minimum).Name} "
                + "or lower MinimumTls.");
        }

        return new HandshakePolicy
        {
            MinimumVersion = minimum,
            CipherSuites = suites,
            Groups = groups,
            ApplicationProtocols = ReadAlpn(options.Alpn, path, report),
            Identities = identities,
        };
    }

    private static TlsVersion ReadMinimum(string text, string path, ConfigReport report)
    {
        switch (text)
        {
            case "1.2":
                return TlsVersion.Tls12;
            case "1.3":
                return TlsVersion.Tls13;
            default:
                report.Error($"{path}:MinimumTls", $"'{text}' is not a version this program speaks; write \"1.2\" or \"1.3\".");
                return TlsVersion.Tls12;
        }
    }

    private static ImmutableArray<T> ReadNames<T>(
        List<string> names, Func<string, T?> find, ImmutableArray<T> all, Func<T, string> nameOf, string path, string kind, ConfigReport report)
        where T : class
    {
        if (names.Count == 0)
        {
            return all;
        }

        List<T> found = [];
        for (int i = 0; i < names.Count; i++)
        {
            if (find(names[i]) is not { } row)
            {
                string known = string.Join(", ", all.Select(nameOf));
                string hint = NearestName.Find(names[i], all.Select(nameOf)) is { } near ? $"did you mean {near}? Known are" : "known are";
                report.Error($"{path}:{i}", $"'{names[i]}' is not a {kind} this program speaks; {hint} {known}.");
            }
            else if (found.Contains(row))
            {
                report.Error($"{path}:{i}", $"'{names[i]}' is listed twice; remove one.");
            }
            else
            {
                found.Add(row);
            }
        }

        return [.. found];
    }

    private static ImmutableArray<string> ReadAlpn(List<string> names, string path, ConfigReport report)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (!SpokenProtocols.Contains(names[i]))
            {
                report.Error(
                    $"{path}:Alpn:{i}",
                    $"'{names[i]}' is not a protocol this program speaks; known are {string.Join(", ", SpokenProtocols)}.");
            }
        }

        return names.Count == 0 ? SpokenProtocols : [.. names.Distinct()];
    }

    // What Kestrel speaks over TLS on TCP, in the order offered by default.
    private static readonly ImmutableArray<string> SpokenProtocols = ["h2", "http/1.1"];
}
