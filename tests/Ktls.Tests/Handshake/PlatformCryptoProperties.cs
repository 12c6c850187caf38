using Aead.Algorithms;
using FsCheck;
using Ktls.Handshake;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using TestKit;
using Xunit;

namespace Ktls.Tests.Handshake;

// BouncyCastle's managed cryptography is the oracle of what replaces it.
public class PlatformCryptoProperties
{
    [Cases(1_000)]
    public bool ThePrfOfTls12IsTheOracles(NonEmptyArray<byte> secret, byte[] seed, bool sha384,
        PositiveInt length)
    {
        int prf = sha384 ? PrfAlgorithm.tls_prf_sha384 : PrfAlgorithm.tls_prf_sha256;
        return Same(crypto => crypto.CreateSecret(secret.Get)
            .DeriveUsingPrf(prf, "key expansion", seed, length.Get).Extract());
    }

    [Cases(1_000)]
    public bool HkdfIsTheOracles(NonEmptyArray<byte> input, byte[] info, bool sha384)
    {
        int hash = sha384 ? CryptoHashAlgorithm.sha384 : CryptoHashAlgorithm.sha256;
        return Same(crypto => crypto.HkdfInit(hash).HkdfExtract(hash, crypto.CreateSecret(input.Get))
            .HkdfExpand(hash, info, 40).Extract());
    }

    [Cases(1_000)]
    public bool HmacIsTheOracles(NonEmptyArray<byte> key, byte[] data) =>
        Same(crypto => crypto.CreateSecret(key.Get)
            .CalculateHmac(CryptoHashAlgorithm.sha256, data, 0, data.Length));

    [Cases(1_000)]
    public bool AClonedHashAndItsOriginalGoTheirOwnWays(byte[] first, byte[] second, byte[] third) =>
        Same(crypto =>
    {
        TlsHash original = crypto.CreateHash(CryptoHashAlgorithm.sha384);
        original.Update(first, 0, first.Length);
        TlsHash clone = original.CloneHash();
        clone.Update(second, 0, second.Length);
        original.Update(third, 0, third.Length);
        return [.. clone.CalculateHash(), .. original.CalculateHash(), .. clone.CalculateHash()];
    });

    [Theory]
    [InlineData(NamedGroup.x25519)]
    [InlineData(NamedGroup.secp256r1)]
    [InlineData(NamedGroup.secp384r1)]
    public void Every_curve_agrees_with_the_oracle(int group)
    {
        foreach (bool useLibCrypto in new[] { true, false })
        {
            using var platform = new PlatformCrypto(new HandshakeFraming(), useLibCrypto);
            TlsAgreement ours = platform.CreateECDomain(new TlsECConfig(group)).CreateECDH();
            TlsAgreement theirs = Oracle.CreateECDomain(new TlsECConfig(group)).CreateECDH();
            byte[] ourKey = ours.GenerateEphemeral();
            ours.ReceivePeerValue(theirs.GenerateEphemeral());
            theirs.ReceivePeerValue(ourKey);
            Assert.Equal(theirs.CalculateSecret().Extract(), ours.CalculateSecret().Extract());
        }
    }

    [Fact]
    public void Disposing_destroys_every_secret()
    {
        var crypto = new PlatformCrypto(new HandshakeFraming(), useLibCrypto: true);
        TlsSecret secret = crypto.CreateSecret([1, 2, 3]);
        TlsSecret copy = crypto.AdoptSecret(secret);
        crypto.Dispose();
        Assert.False(secret.IsAlive());
        Assert.False(copy.IsAlive());
    }

    [Fact]
    public void This_machine_has_libcrypto() => Assert.True(LibCryptoLibrary.IsTheRuntimes);

    private static bool Same(Func<TlsCrypto, byte[]> calculate)
    {
        using var platform = new PlatformCrypto(new HandshakeFraming(), useLibCrypto: true);
        return calculate(platform).AsSpan().SequenceEqual(calculate(Oracle));
    }

    private static readonly BcTlsCrypto Oracle = new(PlatformCrypto.Random);
}
