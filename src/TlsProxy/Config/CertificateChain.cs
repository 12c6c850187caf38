using System.Security.Cryptography.X509Certificates;
using Ktls.Handshake;

namespace TlsProxy.Config;

/// <summary>What a chain looks like from a client's side.</summary>
internal static class CertificateChain
{
    /// <summary>Leaf first, each followed by its issuer as far as <paramref name="all"/> has it. PFX files keep no order.</summary>
    public static IReadOnlyList<X509Certificate2> Order(X509Certificate2 leaf, X509Certificate2Collection all)
    {
        List<X509Certificate2> chain = [leaf];
        while (!IsSelfIssued(chain[^1]) && all.FirstOrDefault(c => IsIssuedBy(chain[^1], c)) is { } issuer && !chain.Contains(issuer))
        {
            chain.Add(issuer);
        }

        return chain;
    }

    /// <summary>
    /// Reports what clients are likely to reject. Warnings, because a proxy that refuses to restart on the
    /// day a certificate expires turns one client error into an outage, and because private trust stores may
    /// accept what public ones do not.
    /// </summary>
    public static void Warn(
        IReadOnlyList<X509Certificate2> chain,
        ServerIdentity identity,
        List<string> serverNames,
        string file,
        string path,
        ConfigReport report)
    {
        X509Certificate2 leaf = chain[0];
        DateTime now = DateTime.UtcNow;
        if (leaf.NotAfter.ToUniversalTime() < now)
        {
            report.Warning($"{path}:Certificate", $"{file} expired on {leaf.NotAfter.ToUniversalTime():u}; renew it, clients will refuse it.");
        }
        else if (leaf.NotBefore.ToUniversalTime() > now)
        {
            report.Warning(
                $"{path}:Certificate",
                $"{file} is not valid before {leaf.NotBefore.ToUniversalTime():u}; check the clock of this machine.");
        }

        for (int i = 0; i + 1 < chain.Count; i++)
        {
            if (!IsIssuedBy(chain[i], chain[i + 1]))
            {
                report.Warning(
                    $"{path}:Certificate",
                    $"{file}: certificate {i + 2} ({chain[i + 1].Subject}) is not the issuer of certificate {i + 1}; "
                    + "order the file leaf first, then each certificate's issuer.");
                return;
            }
        }

        if (chain.Count == 1 && !IsSelfIssued(leaf) && !leaf.Issuer.Equals(DevelopmentCertificate.AuthoritySubject, StringComparison.Ordinal))
        {
            report.Warning(
                $"{path}:Certificate",
                $"{file} holds the leaf alone; unless '{leaf.Issuer}' is a root in every client's store, append the intermediate certificates.");
        }

        foreach (string name in serverNames.Where(name => !leaf.MatchesHostname(name.Replace("*", "any", StringComparison.Ordinal))))
        {
            report.Warning(
                $"{path}:ServerNames",
                $"{file} does not cover '{name}' (it covers {string.Join(", ", identity.ServerNames)}); clients will refuse it for that name.");
        }
    }

    private static bool IsSelfIssued(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    private static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 issuer) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(issuer.SubjectName.RawData);
}
