using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace Ktls.Handshake;

/// <summary>
/// A certificate of ours, sent as it was given: BouncyCastle alone would encode it anew in each handshake.
/// </summary>
internal sealed class ChainCertificate : BcTlsCertificate
{
    private readonly byte[] _der;

    /// <summary>Parses the certificate once.</summary>
    public ChainCertificate(byte[] der)
        : base(Parser, der) => _der = der;

    /// <inheritdoc/>
    public override byte[] GetEncoded() => _der;

    // Parsing needs no state of a connection.
    private static readonly BcTlsCrypto Parser = new(PlatformCrypto.Random);
}
