using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aead;
using FsCheck;
using Ktls.Handshake;
using TestKit;
using Xunit;

namespace Ktls.Tests.Handshake;

public class ServerIdentityTests
{
    [Fact]
    public void Names_come_from_the_leaf_unless_they_are_given()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 leaf = TestIdentities.SelfSign(key, "A.example", "*.B.example");
        using var fromLeaf = new ServerIdentity([leaf], Copy(key), []);
        Assert.Equal(["a.example", "*.b.example"], fromLeaf.ServerNames);
        using var given = new ServerIdentity([leaf], Copy(key), ["Other.Example", "other.example."]);
        Assert.Equal(["other.example"], given.ServerNames);
        Assert.Equal(CertificateKind.Ecdsa, given.Kind);
        Assert.Equal(leaf.NotAfter.ToUniversalTime(), given.NotAfter.UtcDateTime);
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData("a.*.example")]
    [InlineData("a b")]
    [InlineData("b\u00FCcher.example")]
    public void A_bad_name_is_an_error_with_its_remedy(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 leaf = TestIdentities.SelfSign(key, "a.example");
        ArgumentException error =
            Assert.Throws<ArgumentException>(() => new ServerIdentity([leaf], Copy(key), [name]));
        Assert.Contains("write a host name in ASCII", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_cannot_be_used_is_an_error_that_says_why()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        X509Certificate2 leaf = TestIdentities.SelfSign(ecdsa, "a.example");
        AssertError("does not belong", leaf, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        AssertError("does not belong", leaf, rsa);
        AssertError("2048 bits, not 1024", leaf, RSA.Create(1024));
        AssertError("P-256, P-384 or P-521", leaf, ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1));
        AssertError("ECDSA or RSA", leaf, ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256));
        Assert.Throws<ArgumentException>(() => new ServerIdentity([], ecdsa, []));
        Assert.Throws<ArgumentException>(() => new ServerIdentitySet([]));
    }

    [Fact]
    public void The_default_is_the_first_one_and_whoever_shares_a_name_with_it()
    {
        ServerIdentity ecdsa = TestIdentities.Create(CertificateKind.Ecdsa, "a.example");
        ServerIdentity other = TestIdentities.Create(CertificateKind.Ecdsa, "b.example");
        ServerIdentity rsa = TestIdentities.Create(CertificateKind.Rsa, "x.example", "a.example");
        var set = new ServerIdentitySet([ecdsa, other, rsa]);
        Assert.Equal([ecdsa, rsa], set.Select(null));
        Assert.Equal([ecdsa, rsa], set.Select("unknown.example"));
        Assert.Equal([ecdsa, rsa], set.Select("a.example"));
        Assert.Equal([rsa], set.Select("x.example"));
        Assert.Equal([other], set.Select("b.example"));
    }

    [Fact]
    public async Task A_key_signs_from_many_threads_and_not_after_its_end()
    {
        using var oracle = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 leaf = TestIdentities.SelfSign(oracle, "a.example");
        var identity = new ServerIdentity([leaf], Copy(oracle), []);
        byte[] hash = SHA256.HashData("message"u8);
        SignatureScheme scheme = SignatureScheme.All[0];
        await Parallel.ForAsync(0, 400, (_, _) =>
        {
            byte[] signature = identity.Sign(scheme, hash);
            using ECDsa publicKey = leaf.GetECDsaPublicKey()!;
            Assert.True(publicKey.VerifyHash(hash, signature, DSASignatureFormat.Rfc3279DerSequence));
            return ValueTask.CompletedTask;
        });
        identity.Dispose();
        Assert.Throws<ObjectDisposedException>(() => identity.Sign(scheme, hash));
    }

    [Theory]
    [InlineData("x25519mlkem768", "X25519MLKEM768")]
    [InlineData("x25519", "X25519")]
    [InlineData("secp256r1", "P-256")]
    [InlineData("P-384", "P-384")]
    [InlineData("P-521", null)]
    public void Groups_are_found_by_either_name(string name, string? found) =>
        Assert.Equal(found, KeyExchangeGroup.Find(name)?.Name);

    [Cases(5_000)]
    public bool EveryNameReadIsLowerCaseAsciiAndReadsAsItself(NonNull<string> text)
    {
        byte[] bytes = [.. text.Get.Select(character => (byte)character)];
        return !ServerName.TryRead(bytes, out string? name)
            || (name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_')
                && ServerName.TryRead([.. name.Select(c => (byte)c)], out string? again) && again == name);
    }

    private static ECDsa Copy(ECDsa key) =>
        ECDsa.Create(key.ExportParameters(includePrivateParameters: true));

    private static void AssertError(string words, X509Certificate2 leaf, AsymmetricAlgorithm key)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new ServerIdentity([leaf], key, []));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        key.Dispose();
    }
}
