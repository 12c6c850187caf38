using System.Net.Security;
using System.Security.Cryptography;
using Aead;
using Ktls.Handshake;
using TestKit.Certificates;
using Xunit;

namespace Ktls.Tests.Handshake;

// What the program finds out about its certificates before it listens.
public sealed class SelfHandshakeTests : IDisposable
{
    private readonly SelfHandshake _self = new();

    public void Dispose() => _self.Dispose();

    public static TheoryData<string, TlsVersion> KeyRows()
    {
        var rows = new TheoryData<string, TlsVersion>();
        foreach (string key in Keys.Keys)
        {
            rows.Add(key, TlsVersion.Tls12);
            rows.Add(key, TlsVersion.Tls13);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(KeyRows))]
    public void Every_kind_of_key_passes_with_every_suite_that_fits_it(string key, TlsVersion version)
    {
        ServerIdentity identity = Keys[key];
        HandshakePolicy policy = Policies.For(identity).Only(version);
        var tested = _self.Test(policy, [identity]).ToList();
        Assert.Equal(SelfHandshake.SuitesOf(policy, identity), tested.Select(one => one.Suite));
        Assert.Equal(3, tested.Count);
        Assert.All(tested, one => Assert.Equal(new SelfHandshakeVerdict(SelfHandshakeOutcome.Passed), one.Verdict));
    }

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public void A_key_that_is_not_the_certificates_fails(TlsVersion version)
    {
        using var claimed = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var actual = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var identity = new ServerIdentity(
            [TestIdentities.SelfSign(claimed, "foreign.example")], new ForeignKey(claimed, actual), []);
        Assert.All(_self.Test(Policies.For(identity).Only(version), [identity]), one => Assert.Equal(
            new SelfHandshakeVerdict(SelfHandshakeOutcome.Failed, "The client sent the fatal alert decrypt_error"), one.Verdict));
    }

    [Fact]
    public void A_key_that_cannot_sign_fails()
    {
        ServerIdentity identity = TestIdentities.Create(CertificateKind.Ecdsa, "gone.example");
        identity.Dispose();
        Assert.All(_self.Test(Policies.For(identity), [identity]), one => Assert.Equal(
            new SelfHandshakeVerdict(SelfHandshakeOutcome.Failed, "The handshake failed inside: ObjectDisposedException"), one.Verdict));
    }

    // X25519MLKEM768 is known to OpenSSL from 3.5 on.
    [Fact]
    public void What_the_client_does_not_know_is_no_verdict()
    {
        HandshakePolicy policy = Policies.For(TestIdentities.Ecdsa).Only(TlsVersion.Tls13).With("X25519MLKEM768");
        Assert.All(_self.Test(policy, [TestIdentities.Ecdsa]),
            one => Assert.True(
                one.Verdict.Outcome == (SafeEvpPKeyHandle.OpenSslVersion >= 0x30500000
                    ? SelfHandshakeOutcome.Passed
                    : SelfHandshakeOutcome.Inconclusive),
                one.Verdict.ToString()));
    }

    [Fact]
    public void A_certificate_that_no_suite_fits_is_left_out() =>
        Assert.Empty(_self.Test(Policies.Default.Only(CipherSuite.Find(0xC02B)!), [TestIdentities.Rsa]));

    [Fact]
    public void Of_many_certificates_each_is_tried_and_one_of_each_kind_with_every_suite()
    {
        ServerIdentity[] identities = [TestIdentities.Ecdsa, TestIdentities.Rsa, TestIdentities.P384, TestIdentities.P521];
        var tested = _self.Test(Policies.For(identities), identities).ToList();
        Assert.Equal([6, 6, 1, 1], identities.Select(identity => tested.Count(one => one.Identity == identity)));
        Assert.All(tested, one => Assert.Equal(SelfHandshakeOutcome.Passed, one.Verdict.Outcome));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_keys_end_with_the_server(bool exchanges)
    {
        using var server = new SelfHandshakeServer(Policies.For(TestIdentities.Ecdsa));
        using var client = new SslStream(server);
        client.AuthenticateAsClient(StreamServer.Client());
        HandshakeResult result = server.Result!;
        if (exchanges)
        {
            server.Send([1, 2, 3]);
        }

        server.Dispose();
        Assert.Throws<ObjectDisposedException>(() => result.ClientKeys.SequenceNumber);
        Assert.Throws<ObjectDisposedException>(() => result.ServerKeys.SequenceNumber);
    }

    private static readonly Dictionary<string, ServerIdentity> Keys = new()
    {
        ["P-256"] = TestIdentities.Ecdsa,
        ["P-384"] = TestIdentities.P384,
        ["P-521"] = TestIdentities.P521,
        ["RSA"] = TestIdentities.Rsa,
    };
}
