using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aead;
using Aead.Pages;
using Aead.Records;

namespace Ktls.Handshake;

/// <summary>What a handshake with ourselves showed.</summary>
public enum SelfHandshakeOutcome
{
    /// <summary>Both sides agree, and understand each other's records.</summary>
    Passed,

    /// <summary>The test could not be made, or the client does not know what the policy demands: no verdict about the server.</summary>
    Inconclusive,

    /// <summary>The server's side does not work.</summary>
    Failed,
}

/// <summary>The outcome and, unless it is Passed, its reason: a sentence without its full stop.</summary>
public readonly record struct SelfHandshakeVerdict(SelfHandshakeOutcome Outcome, string Reason = "");

/// <summary>
/// Handshakes of a certificate with a client of another make (.NET's, which is OpenSSL's), in memory: what would fail for every client is found
/// before the first one comes. Not thread-safe.
/// </summary>
[SuppressMessage("Interoperability", "CA1416:Validate platform compatibility", Justification = "The product runs on Linux alone.")]
public sealed class SelfHandshake : IDisposable
{
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(ContentLength);
    private PagePool? _pool;
    private DecryptStage? _stage;

    /// <summary>
    /// Every certificate of a policy: the first of each kind of key with every suite, the others with the one that is preferred.
    /// </summary>
    /// <returns>What was tried, newest version first, and what came of it; nothing for a certificate that no suite of the policy fits.</returns>
    public IEnumerable<(ServerIdentity Identity, CipherSuite Suite, SelfHandshakeVerdict Verdict)> Test(
        HandshakePolicy policy, IEnumerable<ServerIdentity> identities)
    {
        HashSet<CertificateKind> seen = [];
        foreach (ServerIdentity identity in identities)
        {
            IEnumerable<CipherSuite> suites = SuitesOf(policy, identity);
            foreach (CipherSuite suite in seen.Add(identity.Kind) ? suites : suites.Take(1))
            {
                SelfHandshakeVerdict verdict = Run(policy, identity, suite);
                yield return (identity, suite, verdict);
                if (verdict.Outcome == SelfHandshakeOutcome.Failed)
                {
                    // The others would mostly fail for the same reason.
                    break;
                }
            }
        }
    }

    /// <summary>One handshake with this certificate and this suite, then a record each way.</summary>
    public SelfHandshakeVerdict Run(HandshakePolicy policy, ServerIdentity identity, CipherSuite suite)
    {
        ArgumentNullException.ThrowIfNull(policy);
        using SelfHandshakeServer server = new(policy with { Identities = new ServerIdentitySet([identity]) });
        using SslStream client = new(server, leaveInnerStreamOpen: true);
        string clientsFault = "";
        try
        {
            client.AuthenticateAsClient(Options(suite));
        }
        catch (Exception fault)
        {
            // What the client says of it depends on its library; what the server saw does not.
            clientsFault = fault.GetType().Name;
        }

        return server.Result is not null && clientsFault.Length == 0 ? Exchange(client, server) : Judge(server, clientsFault);
    }

    /// <summary>The suites this certificate can be used with, newest version first, else in the policy's order.</summary>
    public static IEnumerable<CipherSuite> SuitesOf(HandshakePolicy policy, ServerIdentity identity) => policy.SuitesInUse
        .Where(suite => suite.Certificate == CertificateKind.Any || suite.Certificate == identity.Kind)
        .OrderByDescending(suite => suite.Version);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stage?.Dispose();
        _pool?.Dispose();
    }

    private static SelfHandshakeVerdict Judge(SelfHandshakeServer server, string clientsFault)
    {
        if (server.Refusal is not { } refusal)
        {
            return new SelfHandshakeVerdict(SelfHandshakeOutcome.Inconclusive, $"the client gave up: {clientsFault}");
        }

        AlertDescription[] wrong = server.WasRefusedByClient ? BlamesServer : FaultsOfServer;
        bool serverIsWrong = Array.IndexOf(wrong, refusal.Alert) >= 0;
        return new SelfHandshakeVerdict(
            serverIsWrong ? SelfHandshakeOutcome.Failed : SelfHandshakeOutcome.Inconclusive, refusal.Reason.TrimEnd('.'));
    }

    private SelfHandshakeVerdict Exchange(SslStream client, SelfHandshakeServer server)
    {
        try
        {
            _pool ??= PagePool.Create(new PagePolicy { Delivery = Delivery.Copy, BytesMax = PoolBytesMax }, stages: 1);
            _stage ??= _pool.CreateStage();
        }
        catch (PagePoolException refused)
        {
            return new SelfHandshakeVerdict(SelfHandshakeOutcome.Inconclusive, refused.Message.TrimEnd('.'));
        }

        byte[] received = new byte[ContentLength];
        string direction = "to";
        try
        {
            server.Send(_content);
            client.ReadExactly(received);
            if (!received.AsSpan().SequenceEqual(_content))
            {
                return WrongRecords(direction);
            }

            direction = "from";
            client.Write(_content);
            return server.Received(_content, _stage) ? new SelfHandshakeVerdict(SelfHandshakeOutcome.Passed) : WrongRecords(direction);
        }
        catch (Exception fault)
        {
            // Whichever side it comes from: the two do not understand each other.
            return WrongRecords(direction, fault.GetType().Name);
        }
    }

    private static SelfHandshakeVerdict WrongRecords(string direction, string how = "they hold something else") =>
        new(SelfHandshakeOutcome.Failed, $"the handshake succeeded, but not the records {direction} the client: {how}");

    // Whom the client trusts is not the question, and nothing may be looked up in a network for it.
    [SuppressMessage("Security", "CA5359:Do Not Disable Certificate Validation", Justification = "The peer is this program.")]
    private static SslClientAuthenticationOptions Options(CipherSuite suite) => new()
    {
        TargetHost = "",
        EnabledSslProtocols = suite.Version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12,
        CipherSuitesPolicy = new CipherSuitesPolicy([(TlsCipherSuite)suite.Id]),
        AllowTlsResume = false,
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        },
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
    };

    // What a server says when the fault is its own. Any other alert blames the client's messages, and this client may be one of a kind.
    private static readonly AlertDescription[] FaultsOfServer =
        [AlertDescription.InternalError, AlertDescription.BadRecordMac, AlertDescription.DecryptError];

    // Alerts by which a client says that what it was sent is wrong, and not that it does not know it (RFC 8446 §6.2).
    private static readonly AlertDescription[] BlamesServer =
    [
        AlertDescription.UnexpectedMessage, AlertDescription.BadRecordMac, AlertDescription.RecordOverflow, AlertDescription.IllegalParameter,
        AlertDescription.DecodeError, AlertDescription.DecryptError, AlertDescription.MissingExtension, AlertDescription.UnsupportedExtension,
    ];

    private const int ContentLength = 1_000;

    // Four slots, of which a stage that copies maps one.
    private const long PoolBytesMax = 1 << 20;
}
