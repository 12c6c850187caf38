using Aead;
using Ktls.Handshake;

namespace TlsProxy.Config;

/// <summary>Shakes hands with a listener's certificates before any client does.</summary>
internal static class IdentityTest
{
    /// <param name="policy">The listener's.</param>
    /// <param name="identities">In the order of the configuration; one alone may have been generated.</param>
    /// <param name="path">Of "Certificates".</param>
    /// <param name="report">Takes an error for each certificate that no client could use, and a note where nothing could be found out.</param>
    public static void Run(HandshakePolicy policy, List<ServerIdentity> identities, string path, ConfigReport report)
    {
        using SelfHandshake self = new();
        foreach ((ServerIdentity identity, CipherSuite suite, SelfHandshakeVerdict verdict) in self.Test(policy, identities))
        {
            string certificate = $"{path}:{identities.IndexOf(identity)}";
            string names = string.Join(", ", identity.ServerNames);
            switch (verdict.Outcome)
            {
                case SelfHandshakeOutcome.Failed:
                    report.Error(
                        certificate,
                        $"a handshake of this program with itself, with the certificate for {names} and {suite}, failed: {verdict.Reason}. "
                        + "Give the key the certificate was issued for; if other certificates fail too, install OpenSSL 3 anew.");
                    break;
                case SelfHandshakeOutcome.Inconclusive:
                    report.Note(certificate, $"{suite} was not tried with the certificate for {names}: {verdict.Reason}.");
                    break;
            }
        }
    }
}
