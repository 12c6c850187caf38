using Bench.Compare.Machine;

namespace Bench.Compare.Peers;

/// <summary>The TLS everybody must speak, and the check that they do: a cheaper cipher would be an unfair win.</summary>
internal static class PeerTls
{
    public const string Suite = "TLS_AES_256_GCM_SHA384";
    public const string Description = "TLS 1.3, TLS_AES_256_GCM_SHA384, X25519, ECDSA P-256, no tickets, no resumption";

    /// <summary>Shakes hands once with OpenSSL, the library of all the loads, and looks at what was agreed.</summary>
    public static async Task VerifyAsync(Peer peer)
    {
        ProgramResult said = await ChildProgram.RunAsync("openssl", "s_client", "-brief", "-connect", $"127.0.0.1:{LocalPort.Peer}");
        string summary = said.Output + said.Errors;
        foreach (string expected in Expected)
        {
            if (!summary.Contains(expected, StringComparison.Ordinal))
            {
                throw new BenchException(
                    $"{peer.Name} does not speak what all peers must speak ({Description}): no \"{expected}\" in\n{summary}");
            }
        }
    }

    private static readonly string[] Expected =
        ["Protocol version: TLSv1.3", $"Ciphersuite: {Suite}", "Signature type: ECDSA", "Server Temp Key: X25519"];
}
