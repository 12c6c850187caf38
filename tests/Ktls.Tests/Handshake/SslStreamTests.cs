using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aead;
using Aead.Pages;
using Aead.Records;
using Ktls.Handshake;
using Xunit;

namespace Ktls.Tests.Handshake;

// A client of another make (SslStream, that is OpenSSL) against the handshake; then our record layer takes
// over.
public class SslStreamTests
{
    public static TheoryData<string, CertificateKind, bool> SuiteRows()
    {
        var rows = new TheoryData<string, CertificateKind, bool>();
        foreach (CipherSuite suite in CipherSuite.All)
        {
            foreach (CertificateKind kind in new[] { CertificateKind.Ecdsa, CertificateKind.Rsa })
            {
                if (suite.Certificate == CertificateKind.Any || suite.Certificate == kind)
                {
                    rows.Add(suite.Name, kind, true);
                    rows.Add(suite.Name, kind, false);
                }
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(SuiteRows))]
    public async Task After_any_suite_our_records_and_the_clients_understand_each_other(
        string suiteName, CertificateKind kind, bool useLibCrypto)
    {
        CipherSuite suite = CipherSuite.Find(suiteName)!;
        (HandshakeResult result, SslStream client, Stream server) = await StreamServer.ConnectAsync(
            Policies.For(TestIdentities.Of(kind)), StreamServer.Client(suite: suite), useLibCrypto);
        Assert.Same(suite, result.Suite);
        Assert.Equal((TlsCipherSuite)suite.Id, client.NegotiatedCipherSuite);
        ulong expected = suite.Version == TlsVersion.Tls13 ? 0UL : 1UL;
        Assert.Equal(expected, result.ClientKeys.SequenceNumber);
        Assert.Equal(expected, result.ServerKeys.SequenceNumber);

        using PagePool pool = PagePool.Create(new PagePolicy { BytesMax = 4 << 20 }, stages: 1);
        using DecryptStage stage = pool.CreateStage();
        using var decryptor = new RecordDecryptor(result.ClientKeys);
        using var encryptor = new RecordEncryptor(result.ServerKeys);
        foreach (int size in new[] { 1, 1000, 40_000 })
        {
            byte[] sent = RandomNumberGenerator.GetBytes(size);
            await client.WriteAsync(sent).AsTask().WaitAsync(StreamServer.Timeout);
            byte[] received = await ReceiveAsync(server, decryptor, stage, size);
            Assert.Equal(sent, received);
            await SendAsync(server, encryptor, received);
            byte[] echoed = new byte[size];
            await client.ReadExactlyAsync(echoed).AsTask().WaitAsync(StreamServer.Timeout);
            Assert.Equal(sent, echoed);
        }
    }

    [Theory]
    [InlineData("X25519")]
    [InlineData("P-256")]
    [InlineData("P-384")]
    public async Task A_client_without_a_share_for_our_only_group_is_asked_for_one(string group)
    {
        foreach (CipherSuite suite in new[] { CipherSuite.All[0], CipherSuite.Find(0xC02B)! })
        {
            (HandshakeResult result, SslStream client, _) = await StreamServer.ConnectAsync(
                Policies.Default.With(group), StreamServer.Client(suite: suite));
            Assert.Equal(group, result.Group!.Name);
            await client.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("p384.example")]
    [InlineData("p521.example")]
    public async Task Larger_curves_sign_in_both_versions(string name)
    {
        HandshakePolicy policy = Policies.For(TestIdentities.P384, TestIdentities.P521);
        foreach (CipherSuite suite in new[] { CipherSuite.All[1], CipherSuite.Find(0xC02C)! })
        {
            (_, SslStream client, _) =
                await StreamServer.ConnectAsync(policy, StreamServer.Client(name, suite));
            Assert.Equal($"CN={name} ECDsa", client.RemoteCertificate!.Subject);
        }
    }

    [Theory]
    [InlineData("a.example", "CN=a.example ECDsa")]
    [InlineData("A.Example", "CN=a.example ECDsa")]
    [InlineData("x.b.example", "CN=*.b.example ECDsa")]
    [InlineData("exact.b.example", "CN=exact.b.example ECDsa")]
    [InlineData("x.y.b.example", "CN=default.example ECDsa")]
    [InlineData("b.example", "CN=default.example ECDsa")]
    [InlineData("unknown.example", "CN=default.example ECDsa")]
    public async Task The_name_the_client_asks_for_selects_the_certificate(string name, string subject)
    {
        HandshakePolicy policy = Policies.For(
            TestIdentities.Create(CertificateKind.Ecdsa, "default.example"),
            TestIdentities.Create(CertificateKind.Ecdsa, "a.example"),
            TestIdentities.Create(CertificateKind.Ecdsa, "*.b.example"),
            TestIdentities.Create(CertificateKind.Ecdsa, "exact.b.example"));
        (HandshakeResult result, SslStream client, _) =
            await StreamServer.ConnectAsync(policy, StreamServer.Client(name));
        Assert.Equal(subject, client.RemoteCertificate!.Subject);
        Assert.Equal(name.ToLowerInvariant(), result.ServerName);
    }

    [Theory]
    [InlineData(0xC02B, "ECDsa")]
    [InlineData(0xC02F, "RSA")]
    [InlineData(0x1301, "ECDsa")]
    public async Task Of_two_keys_for_one_name_the_suite_and_the_cheaper_signature_decide(int suite,
        string algorithm)
    {
        HandshakePolicy policy = Policies.For(
            TestIdentities.Create(CertificateKind.Rsa, "both.example"),
            TestIdentities.Create(CertificateKind.Ecdsa, "both.example"));
        (_, SslStream client, _) = await StreamServer.ConnectAsync(
            policy, StreamServer.Client("nobody.example", CipherSuite.Find((ushort)suite)));
        Assert.Equal($"CN=both.example {algorithm}", client.RemoteCertificate!.Subject);
    }

    [Fact]
    public async Task The_servers_order_of_suites_decides()
    {
        CipherSuite[] reversed =
            [.. CipherSuite.All.Where(suite => suite.Version == TlsVersion.Tls13).Reverse()];
        (HandshakeResult result, _, _) = await StreamServer.ConnectAsync(
            Policies.Default.Only(reversed), StreamServer.Client());
        Assert.Same(reversed[0], result.Suite);
    }

    [Theory]
    [InlineData("h2,http/1.1", "http/1.1,h2", "h2")]
    [InlineData("http/1.1,h2", "h2,http/1.1", "http/1.1")]
    [InlineData("h2,http/1.1", "http/1.1", "http/1.1")]
    [InlineData("h2", "", null)]
    public async Task The_servers_order_of_application_protocols_decides(string ours, string theirs,
        string? chosen)
    {
        foreach (CipherSuite suite in new[] { CipherSuite.All[0], CipherSuite.Find(0xC02B)! })
        {
            SslClientAuthenticationOptions options = StreamServer.Client(suite: suite);
            options.ApplicationProtocols = [.. theirs.Split(',', StringSplitOptions.RemoveEmptyEntries)
                .Select(name => new SslApplicationProtocol(name))];
            (HandshakeResult result, SslStream client, _) = await StreamServer.ConnectAsync(
                Policies.Default with { ApplicationProtocols = [.. ours.Split(',')] }, options);
            Assert.Equal(chosen, result.ApplicationProtocol);
            Assert.Equal(chosen ?? "", client.NegotiatedApplicationProtocol.ToString());
        }
    }

    [Fact]
    public async Task Many_threads_sign_with_one_identity_at_once()
    {
        HandshakePolicy policy = Policies.Default;
        await Parallel.ForEachAsync(Enumerable.Range(0, 60),
            new ParallelOptions { MaxDegreeOfParallelism = 12 },
            async (i, _) =>
            {
                (HandshakeResult result, SslStream client, Stream _) = await StreamServer.ConnectAsync(
                    policy, StreamServer.Client(i % 2 == 0 ? "ecdsa.example" : "rsa.example"));
                result.Dispose();
                await client.DisposeAsync();
            });
    }

    [Fact]
    public async Task A_whole_chain_is_sent_as_it_was_given()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 leaf = TestIdentities.SelfSign(key, "chain.example");
        X509Certificate2 second = TestIdentities.SelfSign(RSA.Create(2048), "other.example");
        using var identity = new ServerIdentity([leaf, second], key, []);
        foreach (CipherSuite suite in new[] { CipherSuite.All[0], CipherSuite.Find(0xC02B)! })
        {
            List<byte[]> seen = [];
            SslClientAuthenticationOptions options = StreamServer.Client(suite: suite);
            options.RemoteCertificateValidationCallback = (_, _, chain, _) =>
            {
                seen.AddRange(chain!.ChainPolicy.ExtraStore.Select(certificate => certificate.RawData));
                return true;
            };
            (_, SslStream client, _) = await StreamServer.ConnectAsync(Policies.For(identity), options);
            Assert.Equal(leaf.RawData, client.RemoteCertificate!.GetRawCertData());
            Assert.Contains(seen, der => der.AsSpan().SequenceEqual(second.RawData));
        }
    }

    private static async Task<byte[]> ReceiveAsync(Stream stream, RecordDecryptor decryptor,
        DecryptStage stage, int size)
    {
        var received = new MemoryStream();
        byte[] record = new byte[5 + 16384 + 256];
        while (received.Length < size)
        {
            await stream.ReadExactlyAsync(record.AsMemory(0, 5)).AsTask().WaitAsync(StreamServer.Timeout);
            int length = RecordHeader.Read(record).FragmentLength;
            Memory<byte> fragment = record.AsMemory(5, length);
            await stream.ReadExactlyAsync(fragment).AsTask().WaitAsync(StreamServer.Timeout);
            DecryptedBatch batch = decryptor.Decrypt(record.AsSpan(0, 5 + length), stage);
            Assert.NotEqual(BatchEnd.Rejected, batch.End);
            using ExposedPages? data = batch.ApplicationData;
            if (data is not null)
            {
                received.Write(data.GetSpan());
            }
        }

        return received.ToArray();
    }

    private static async Task SendAsync(Stream stream, RecordEncryptor encryptor, byte[] data)
    {
        byte[] record = new byte[encryptor.PrefixLength + 16384 + encryptor.SuffixLength];
        for (int sent = 0; sent < data.Length;)
        {
            int length = Math.Min(16384, data.Length - sent);
            data.AsSpan(sent, length).CopyTo(record.AsSpan(encryptor.PrefixLength));
            int written = encryptor.Encrypt(ContentType.ApplicationData, record, length);
            await stream.WriteAsync(record.AsMemory(0, written));
            sent += length;
        }

        await stream.FlushAsync();
    }
}
