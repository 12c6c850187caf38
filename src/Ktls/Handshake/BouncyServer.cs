using System.Collections.Immutable;
using Aead;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using CipherSuite = Aead.CipherSuite;

namespace Ktls.Handshake;

// BouncyCastle asks, in this order: versions, groups, extensions, suite, extensions to answer, (TLS 1.2:
// curve,) credentials. Every answer follows the policy's order; whatever cannot be agreed throws with the
// reason.

/// <summary>The policy as BouncyCastle's server.</summary>
internal sealed class BouncyServer(HandshakePolicy policy, PlatformCrypto crypto) : AbstractTlsServer(crypto)
{
    private ClientHello? _hello;
    private bool _offersCompression;
    private CipherSuite? _suite;
    private KeyExchangeGroup? _group;
    private HandshakeSigner? _signer;

    /// <summary>SNI in lower case, or null.</summary>
    public string? ServerName { get; private set; }

    /// <summary>Set once the client's Finished has verified; whoever takes it owns the keys.</summary>
    public HandshakeResult? Result { get; private set; }

    /// <summary>Looks at a ClientHello before BouncyCastle acts on it.</summary>
    public void ReceiveClientHello(ClientHello hello, bool offersCompression)
    {
        if (_hello is not null)
        {
            ClientHelloRules.RequireSame(_hello, hello);
        }

        _hello = hello;
        _offersCompression = offersCompression;
    }

    /// <inheritdoc/>
    public override ProtocolVersion GetServerVersion()
    {
        ProtocolVersion[] offered = m_context.ClientSupportedVersions;
        ProtocolVersion version =
            Array.Find(m_protocolVersions, ours => ProtocolVersion.Contains(offered, ours))
            ?? throw new HandshakeException(AlertDescription.protocol_version,
                $"The client offers {Newest(offered)} at most.");
        if (version.Equals(ProtocolVersion.TLSv13) && _offersCompression)
        {
            throw new HandshakeException(AlertDescription.illegal_parameter,
                "The client offers compression with TLS 1.3.");
        }

        return version;
    }

    // The server's order decides among the groups the client sent a share for; without such a share it
    // decides among all common groups, at the price of a HelloRetryRequest.
    /// <inheritdoc/>
    public override int[] GetSupportedGroups()
    {
        int[]? offered = m_context.SecurityParameters.ClientSupportedGroups;
        if (!m_context.ServerVersion.Equals(ProtocolVersion.TLSv13))
        {
            return [.. policy.Groups.Where(group => group.IsInTls12).Select(group => group.Id)];
        }

        if (offered is null || _hello is null)
        {
            throw new HandshakeException(AlertDescription.missing_extension,
                "The client sent no supported_groups.");
        }

        int[] shares = ClientHelloRules.KeyShareGroups(_hello, offered);
        _group = policy.Groups.FirstOrDefault(group => shares.Contains(group.Id))
            ?? policy.Groups.FirstOrDefault(group => offered.Contains(group.Id))
            ?? throw NoCommonGroup();
        return [_group.Id];
    }

    /// <inheritdoc/>
    public override bool PreferLocalSupportedGroups() => true;

    /// <inheritdoc/>
    public override void ProcessClientExtensions(IDictionary<int, byte[]> clientExtensions)
    {
        ServerName = ClientHelloRules.ReadServerName(m_context.SecurityParameters.ClientServerNames);
        m_clientSentECPointFormats =
            TlsExtensionsUtilities.GetSupportedPointFormatsExtension(clientExtensions) is not null;
        m_clientProtocolNames = TlsExtensionsUtilities.GetAlpnExtensionClient(clientExtensions);
        if (m_clientProtocolNames is not { Count: > 0 })
        {
            return;
        }

        m_selectedProtocolName = policy.ApplicationProtocols.Select(ProtocolName.AsUtf8Encoding)
            .FirstOrDefault(m_clientProtocolNames.Contains)
            ?? throw new HandshakeException(AlertDescription.no_application_protocol,
                "The client offers no application protocol of ours.");
    }

    /// <inheritdoc/>
    public override int GetSelectedCipherSuite()
    {
        bool isTls12 = m_context.ServerVersion.Equals(ProtocolVersion.TLSv12);
        if (isTls12)
        {
            SelectTls12Group();
        }

        bool sharesSuite = false;
        foreach (CipherSuite suite in policy.CipherSuites)
        {
            if (suite.Version != Version || !m_offeredCipherSuites.Contains(suite.Id))
            {
                continue;
            }

            sharesSuite = true;
            _signer = HandshakeSigner.Select(policy.Identities.Select(ServerName), suite, Version,
                m_context.SecurityParameters);
            if (_signer is not null)
            {
                _suite = suite;
                m_selectedCipherSuite = suite.Id;
                return suite.Id;
            }
        }

        throw new HandshakeException(AlertDescription.handshake_failure, sharesSuite
            ? "The client accepts no signature scheme, or no curve, of our certificates."
            : "The client offers no cipher suite of ours.");
    }

    /// <inheritdoc/>
    public override IDictionary<int, byte[]> GetServerExtensions()
    {
        // Nothing else the client asks for is echoed: no max_fragment_length, status_request, certificate
        // types.
        if (m_clientSentECPointFormats && Version == TlsVersion.Tls12)
        {
            TlsExtensionsUtilities.AddSupportedPointFormatsExtension(m_serverExtensions,
                [ECPointFormat.uncompressed]);
        }

        return m_serverExtensions;
    }

    /// <inheritdoc/>
    public override TlsECConfig GetECDHConfig() => new(_group!.Id);

    /// <inheritdoc/>
    public override TlsCredentials GetCredentials() => _signer!;

    /// <inheritdoc/>
    public override int GetMaxHandshakeMessageSize() => HandshakeFraming.MessageLengthMax;

    /// <inheritdoc/>
    public override void NotifySecureRenegotiation(bool secureRenegotiation)
    {
        if (!secureRenegotiation)
        {
            throw new HandshakeException(AlertDescription.handshake_failure,
                "The client does not know secure renegotiation (RFC 5746).");
        }
    }

    /// <inheritdoc/>
    public override void NotifyAlertReceived(short alertLevel, short alertDescription)
    {
        if (alertLevel == AlertLevel.warning && alertDescription == AlertDescription.close_notify)
        {
            throw new HandshakeException(AlertDescription.handshake_failure,
                "The client closed the connection during the handshake.");
        }
    }

    // The one moment in which the master secret of TLS 1.2 still lives and both traffic secrets of TLS 1.3
    // are final.
    /// <inheritdoc/>
    public override void NotifyHandshakeComplete()
    {
        (var client, var server) = HandOver.TakeKeys(m_context, _suite!);
        Result = new HandshakeResult
        {
            Suite = _suite!,
            ClientKeys = client,
            ServerKeys = server,
            ApplicationProtocol = m_selectedProtocolName?.GetUtf8Decoding(),
            ServerName = ServerName,
            Group = _group,
        };
    }

    /// <inheritdoc/>
    protected override ProtocolVersion[] GetSupportedVersions()
    {
        bool has13 = policy.CipherSuites.Any(suite => suite.Version == TlsVersion.Tls13);
        bool has12 = policy.MinimumVersion == TlsVersion.Tls12
            && policy.CipherSuites.Any(suite => suite.Version == TlsVersion.Tls12);
        return [.. has13 ? [ProtocolVersion.TLSv13] : Array.Empty<ProtocolVersion>(),
            .. has12 ? [ProtocolVersion.TLSv12] : Array.Empty<ProtocolVersion>()];
    }

    /// <inheritdoc/>
    protected override int[] GetSupportedCipherSuites() =>
        [.. policy.CipherSuites.Select(suite => (int)suite.Id)];

    private TlsVersion Version =>
        m_context.ServerVersion.Equals(ProtocolVersion.TLSv13) ? TlsVersion.Tls13 : TlsVersion.Tls12;

    private void SelectTls12Group()
    {
        int[] offered = m_context.SecurityParameters.ClientSupportedGroups ?? [KeyExchangeGroup.P256Id];
        _group = policy.Groups.FirstOrDefault(group => group.IsInTls12 && offered.Contains(group.Id))
            ?? throw NoCommonGroup();
    }

    private static HandshakeException NoCommonGroup() =>
        new(AlertDescription.handshake_failure, "The client supports no key exchange group of ours.");

    private static string Newest(ProtocolVersion[] offered) =>
        ProtocolVersion.GetLatestTls(offered)?.ToString() ?? "unknown versions";
}
