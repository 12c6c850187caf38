using System.Security.Cryptography;
using Aead.Algorithms;
using Org.BouncyCastle.Crypto.Prng;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace Ktls.Handshake;

// BouncyCastle runs the protocol; this hands it the platform's primitives instead of its managed ones:
// hashes, HMAC, HKDF, AEADs, key agreement. One instance belongs to one handshake and remembers every secret,
// key pair and cipher it made, so that ending the handshake zeroes them all: BouncyCastle can then neither
// encrypt nor leak.

/// <summary>The cryptography of one handshake.</summary>
internal sealed class PlatformCrypto : BcTlsCrypto, IDisposable
{
    private readonly HandshakeFraming _framing;
    private readonly bool _useLibCrypto;
    private readonly List<IDisposable> _made = new(capacity: 32);

    /// <summary>
    /// For one handshake, whose decrypted messages are framed by <paramref name="framing"/>.
    /// </summary>
    public PlatformCrypto(HandshakeFraming framing, bool useLibCrypto)
        : base(Random)
    {
        _framing = framing;
        _useLibCrypto = useLibCrypto;
    }

    /// <summary>The operating system's random bytes.</summary>
    public static SecureRandom Random { get; } = new(new CryptoApiRandomGenerator());

    /// <summary>Zeroes all secrets and ends all ciphers of this handshake.</summary>
    public void Dispose()
    {
        foreach (IDisposable made in _made)
        {
            made.Dispose();
        }

        _made.Clear();
    }

    /// <summary>Disposes <paramref name="made"/> with the handshake, at the latest.</summary>
    public T Track<T>(T made) where T : IDisposable
    {
        _made.Add(made);
        return made;
    }

    /// <summary>A secret that takes over <paramref name="data"/>, one of <see cref="SecretArrays"/>.</summary>
    public PlatformSecret Adopt(byte[] data) => Track(new PlatformSecret(this, data));

    /// <summary>A secret of these bytes, which stay the caller's to overwrite.</summary>
    public PlatformSecret AdoptCopy(ReadOnlySpan<byte> data)
    {
        byte[] copy = SecretArrays.Rent(data.Length);
        data.CopyTo(copy);
        return Adopt(copy);
    }

    /// <summary>A secret that others have put into an array of theirs, which is zeroed.</summary>
    public PlatformSecret AdoptAndZero(byte[] data)
    {
        PlatformSecret secret = AdoptCopy(data);
        CryptographicOperations.ZeroMemory(data);
        return secret;
    }

    /// <inheritdoc/>
    public override TlsSecret AdoptSecret(TlsSecret secret) => ((PlatformSecret)secret).Copy();

    /// <inheritdoc/>
    public override TlsSecret CreateSecret(byte[] data) => AdoptCopy(data);

    /// <inheritdoc/>
    public override TlsSecret HkdfInit(int cryptoHashAlgorithm) =>
        Adopt(SecretArrays.Rent(TlsCryptoUtilities.GetHashOutputSize(cryptoHashAlgorithm)));

    /// <inheritdoc/>
    public override TlsSecret CreateHybridSecret(TlsSecret s1, TlsSecret s2)
    {
        byte[] both = SecretArrays.Rent(s1.Length + s2.Length);
        int length = s1.Length;
        s1.ExtractTo(both.AsSpan(0, length));
        s2.ExtractTo(both.AsSpan(length));
        return Adopt(both);
    }

    /// <inheritdoc/>
    public override TlsHash CreateHash(int cryptoHashAlgorithm) =>
        new PlatformHash(HashName(cryptoHashAlgorithm));

    /// <inheritdoc/>
    public override TlsNonceGenerator CreateNonceGenerator(byte[] additionalSeedMaterial) =>
        new PlatformNonces();

    /// <inheritdoc/>
    public override TlsNonceGenerator CreateNonceGenerator(ReadOnlySpan<byte> additionalSeedMaterial) =>
        new PlatformNonces();

    /// <inheritdoc/>
    public override TlsECDomain CreateECDomain(TlsECConfig ecConfig)
    {
        AgreementCurve? curve = AgreementCurve.Find(ecConfig.NamedGroup);
        return curve switch
        {
            not null when _useLibCrypto => new AgreementDomain(() => new LibCryptoAgreement(this, curve)),
            { Group: not null } => new AgreementDomain(() => new PlatformAgreement(this, curve)),
            _ => new AgreementDomain(
                () => new ManagedAgreement(this, base.CreateECDomain(ecConfig).CreateECDH())),
        };
    }

    /// <inheritdoc/>
    public override TlsKemDomain CreateKemDomain(TlsKemConfig kemConfig) =>
        new AgreementDomain(() => new ManagedAgreement(this, base.CreateKemDomain(kemConfig).CreateKem()));

    /// <inheritdoc/>
    public override TlsCipher CreateCipher(TlsCryptoParameters cryptoParams, int encryptionAlgorithm,
        int macAlgorithm) =>
        new FramedCipher(base.CreateCipher(cryptoParams, encryptionAlgorithm, macAlgorithm), _framing);

    /// <inheritdoc/>
    protected override TlsAeadCipher CreateCipher_Aes_Gcm(TlsCryptoParameters cryptoParams, int cipherKeySize,
        int macSize) => CreateCipher(cryptoParams, TlsAeadCipher.AEAD_GCM,
            cipherKeySize == AeadAlgorithm.Aes128Gcm.KeyLength
                ? AeadAlgorithm.Aes128Gcm
                : AeadAlgorithm.Aes256Gcm);

    /// <inheritdoc/>
    protected override TlsCipher CreateChaCha20Poly1305(TlsCryptoParameters cryptoParams) =>
        CreateCipher(cryptoParams, TlsAeadCipher.AEAD_CHACHA20_POLY1305, AeadAlgorithm.ChaCha20Poly1305);

    /// <summary>.NET's name of one of BouncyCastle's hashes.</summary>
    internal static HashAlgorithmName HashName(int cryptoHashAlgorithm) => cryptoHashAlgorithm switch
    {
        CryptoHashAlgorithm.sha256 => HashAlgorithmName.SHA256,
        CryptoHashAlgorithm.sha384 => HashAlgorithmName.SHA384,
        CryptoHashAlgorithm.sha512 => HashAlgorithmName.SHA512,
        _ => throw new TlsFatalAlert(AlertDescription.internal_error, "A hash that no suite of ours uses."),
    };

    private HandshakeCipher CreateCipher(TlsCryptoParameters parameters, int aeadType,
        AeadAlgorithm algorithm) =>
        Track(new HandshakeCipher(parameters, Track(new HandshakeAead(algorithm, encrypts: true)),
            Track(new HandshakeAead(algorithm, encrypts: false)), algorithm.KeyLength, aeadType));

    // BouncyCastle's own keeps the IVs until the collector finds it.
    private sealed class HandshakeCipher(TlsCryptoParameters parameters, HandshakeAead encryptor,
        HandshakeAead decryptor, int keyLength, int aeadType)
        : TlsAeadCipher(parameters, encryptor, decryptor, keyLength, AeadAlgorithm.TagLength, aeadType), IDisposable
    {
        public void Dispose()
        {
            CryptographicOperations.ZeroMemory(m_encryptNonce);
            CryptographicOperations.ZeroMemory(m_decryptNonce);
        }
    }

    private sealed class PlatformNonces : TlsNonceGenerator
    {
        public byte[] GenerateNonce(int size) => RandomNumberGenerator.GetBytes(size);
    }
}
