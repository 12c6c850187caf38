using System.Security.Cryptography;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;

namespace Ktls.Handshake;

/// <summary>A curve of key agreement as data.</summary>
/// <param name="Id">The named group.</param>
/// <param name="Algorithm">libcrypto's name of the algorithm.</param>
/// <param name="Group">libcrypto's name of the curve of EC, else null.</param>
/// <param name="PublicKeyLength">Bytes of a public key on the wire.</param>
/// <param name="SecretLength">Bytes of the shared secret.</param>
internal sealed record AgreementCurve(
    int Id, string Algorithm, string? Group, int PublicKeyLength, int SecretLength)
{
    /// <summary>The row of a named group, or null.</summary>
    public static AgreementCurve? Find(int id) => Array.Find(Rows, row => row.Id == id);

    /// <summary>
    /// Refuses whatever is not a key of exactly this form; RFC 8446 §4.2.8.2 and RFC 8422 §5.4.1 allow
    /// uncompressed points only.
    /// </summary>
    public byte[] Judge(byte[] peerKey) =>
        peerKey.Length == PublicKeyLength && (Group is null || peerKey[0] == UncompressedPoint)
            ? peerKey
            : throw new TlsFatalAlert(AlertDescription.illegal_parameter);

    /// <summary>legacy_form of an UncompressedPointRepresentation.</summary>
    public const byte UncompressedPoint = 4;

    private static readonly AgreementCurve[] Rows =
    [
        new(NamedGroup.x25519, "X25519", Group: null, PublicKeyLength: 32, SecretLength: 32),
        new(NamedGroup.secp256r1, "EC", "P-256", PublicKeyLength: 65, SecretLength: 32),
        new(NamedGroup.secp384r1, "EC", "P-384", PublicKeyLength: 97, SecretLength: 48),
    ];
}

/// <summary>Agreement by libcrypto.</summary>
internal sealed class LibCryptoAgreement(PlatformCrypto crypto, AgreementCurve curve) : TlsAgreement
{
    private LibCryptoKey? _key;
    private byte[] _peerKey = [];

    public byte[] GenerateEphemeral()
    {
        _key = crypto.Track(LibCrypto.Generate(curve.Algorithm, curve.Group));
        byte[] publicKey = new byte[curve.PublicKeyLength];
        LibCrypto.WritePublicKey(_key, publicKey);
        return publicKey;
    }

    public void ReceivePeerValue(byte[] peerValue) => _peerKey = curve.Judge(peerValue);

    public TlsSecret CalculateSecret()
    {
        using LibCryptoKey key =
            _key ?? throw new InvalidOperationException("There is no ephemeral key yet.");
        byte[] secret = SecretArrays.Rent(curve.SecretLength);
        return LibCrypto.TryDerive(key, _peerKey, secret)
            ? crypto.Adopt(secret)
            : throw new TlsFatalAlert(AlertDescription.illegal_parameter);
    }
}

/// <summary>Agreement on a NIST curve by .NET, where libcrypto.so.3 is not the platform's library.</summary>
internal sealed class PlatformAgreement(PlatformCrypto crypto, AgreementCurve curve) : TlsAgreement
{
    private ECDiffieHellman? _key;
    private byte[] _peerKey = [];

    public byte[] GenerateEphemeral()
    {
        _key = crypto.Track(ECDiffieHellman.Create(Curve));
        ECPoint point = _key.ExportParameters(includePrivateParameters: false).Q;
        return [AgreementCurve.UncompressedPoint, .. point.X!, .. point.Y!];
    }

    public void ReceivePeerValue(byte[] peerValue) => _peerKey = curve.Judge(peerValue);

    public TlsSecret CalculateSecret()
    {
        using ECDiffieHellman key =
            _key ?? throw new InvalidOperationException("There is no ephemeral key yet.");
        var point = new ECPoint
        {
            X = _peerKey[1..(1 + curve.SecretLength)],
            Y = _peerKey[(1 + curve.SecretLength)..],
        };
        try
        {
            using var peer = ECDiffieHellman.Create(new ECParameters { Curve = Curve, Q = point });
            using ECDiffieHellmanPublicKey peerKey = peer.PublicKey;
            return crypto.AdoptAndZero(key.DeriveRawSecretAgreement(peerKey));
        }
        catch (CryptographicException offCurve)
        {
            throw new TlsFatalAlert(AlertDescription.illegal_parameter, offCurve);
        }
    }

    private ECCurve Curve => curve.Id == NamedGroup.secp256r1
        ? ECCurve.NamedCurves.nistP256
        : ECCurve.NamedCurves.nistP384;
}

/// <summary>
/// BouncyCastle's own agreement (ML-KEM; X25519 without libcrypto.so.3). Its secret moves into ours, and a
/// key that it cannot use is the peer's fault (RFC 8446 §7.4.2).
/// </summary>
internal sealed class ManagedAgreement(PlatformCrypto crypto, TlsAgreement agreement) : TlsAgreement
{
    public byte[] GenerateEphemeral() => Blame(agreement.GenerateEphemeral);

    public void ReceivePeerValue(byte[] peerValue) => Blame(() =>
    {
        agreement.ReceivePeerValue(peerValue);
        return peerValue;
    });

    public TlsSecret CalculateSecret() => crypto.AdoptAndZero(Blame(() => agreement.CalculateSecret().Extract()));

    private static byte[] Blame(Func<byte[]> step)
    {
        try
        {
            return step();
        }
        catch (Exception badKey)
        {
            throw new TlsFatalAlert(AlertDescription.illegal_parameter, badKey);
        }
    }
}

/// <summary>Makes agreements of one curve.</summary>
internal sealed class AgreementDomain(Func<TlsAgreement> create) : TlsECDomain, TlsKemDomain
{
    public TlsAgreement CreateECDH() => create();

    public TlsAgreement CreateKem() => create();
}
