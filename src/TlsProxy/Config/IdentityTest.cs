using Aead;
using Ktls.Handshake;

namespace TlsProxy.Config;

/// <summary>Shakes hands with a listener's certificates before any client does.</summary>
internal static class IdentityTest
{
    /// <param name="policy">The listener's.</param>
    /// <param name="identities">In the order of the configuration.</param>
    /// <param name="path">Of "Certificates".</param>
    /// <param name="report">Takes an error for each certificate that no client could use, and a note where nothing could be found out.</param>
    public static void Run(HandshakePolicy policy, List<ServerIdentity> identities, string path, ConfigReport report)
    {
        using SelfHandshake self = new();
        foreach ((ServerIdentity identity, CipherSuite suite, SelfHandshakeVerdict verdict) in self.Test(policy, identities))
        {
            string certificate = $"{path}:{identities.IndexOf(identity)}";
            string names = string.Join(", ", identity.ServerNames);
            if (verdict.Outcome == SelfHandshakeOutcome.Failed)
            {
                report.Error(
                    certificate,
                    $"no client can use the certificate for {names}: a handshake with it and {suite} in memory failed ({verdict.Reason}). "
                    + "Issue key and certificate anew; if all certificates fail, repair OpenSSL 3; if one suite does, leave it out of CipherSuites.");
            }
            else if (verdict.Outcome == SelfHandshakeOutcome.Inconclusive)
            {
                report.Note(certificate, $"the certificate for {names} was not tried with {suite} ({verdict.Reason}).");
            }
        }
    }
}
