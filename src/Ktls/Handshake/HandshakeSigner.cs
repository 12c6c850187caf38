using System.Collections.Immutable;
using Aead;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using CipherSuite = Aead.CipherSuite;

namespace Ktls.Handshake;

/// <summary>An identity and the scheme it signs one handshake with.</summary>
internal sealed class HandshakeSigner : TlsCredentialedSigner
{
    private readonly ServerIdentity _identity;
    private readonly SignatureScheme _scheme;
    private readonly TlsVersion _version;

    private HandshakeSigner(ServerIdentity identity, SignatureScheme scheme, TlsVersion version)
    {
        _identity = identity;
        _scheme = scheme;
        _version = version;
    }

    /// <inheritdoc/>
    public Certificate Certificate =>
        _version == TlsVersion.Tls13 ? _identity.Tls13Chain : _identity.Tls12Chain;

    /// <inheritdoc/>
    public SignatureAndHashAlgorithm SignatureAndHashAlgorithm =>
        SignatureAndHashAlgorithm.GetInstance((short)(_scheme.Id >> 8), (short)(_scheme.Id & 0xFF));

    /// <summary>
    /// The best scheme the client accepts and one of the identities can sign with, or null.
    /// </summary>
    public static HandshakeSigner? Select(ImmutableArray<ServerIdentity> identities, CipherSuite suite,
        TlsVersion version, SecurityParameters client)
    {
        foreach (SignatureScheme scheme in SignatureScheme.All)
        {
            if (!Accepts(client, scheme))
            {
                continue;
            }

            foreach (ServerIdentity identity in identities)
            {
                bool fitsSuite =
                    suite.Certificate == CertificateKind.Any || suite.Certificate == identity.Kind;
                if (fitsSuite && identity.CanSign(scheme, version) && KnowsCurve(client, identity, version))
                {
                    return new HandshakeSigner(identity, scheme, version);
                }
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public byte[] GenerateRawSignature(byte[] hash) => _identity.Sign(_scheme, hash);

    /// <inheritdoc/>
    public TlsStreamSigner? GetStreamSigner() => null;

    private static bool Accepts(SecurityParameters client, SignatureScheme scheme)
    {
        foreach (SignatureAndHashAlgorithm offered in client.ClientSigAlgs)
        {
            if (((offered.Hash << 8) | (ushort)offered.Signature) == scheme.Id)
            {
                return true;
            }
        }

        return false;
    }

    // RFC 8422 §4: in TLS 1.2 the client's groups also say on which curves it accepts ECDSA keys.
    private static bool KnowsCurve(SecurityParameters client, ServerIdentity identity, TlsVersion version) =>
        version == TlsVersion.Tls13
        || identity.Kind == CertificateKind.Rsa
        || client.ClientSupportedGroups is not { } groups
        || groups.Contains(identity.CurveId);
}
