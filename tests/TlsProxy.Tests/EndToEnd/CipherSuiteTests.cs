using Aead;
using TestKit;
using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>Does every suite work with every kind of certificate, as curl and OpenSSL see it?</summary>
public sealed class CipherSuiteTests(CipherSuiteTests.Fixture fixture)
    : IClassFixture<CipherSuiteTests.Fixture>
{
    public static TheoryData<string, CertificateKind> Rows()
    {
        TheoryData<string, CertificateKind> rows = [];
        foreach (CipherSuite suite in CipherSuite.All)
        {
            foreach (CertificateKind kind in (CertificateKind[])[CertificateKind.Ecdsa, CertificateKind.Rsa])
            {
                if (suite.Certificate == CertificateKind.Any || suite.Certificate == kind)
                {
                    rows.Add(suite.Name, kind);
                }
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task CurlFetchesOverHttp1(string suite, CertificateKind kind) =>
        await AssertCurlFetchesAsync(suite, kind, "--http1.1");

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task CurlFetchesOverHttp2(string suite, CertificateKind kind) =>
        await AssertCurlFetchesAsync(suite, kind, "--http2");

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task OpenSslFetches(string suite, CertificateKind kind)
    {
        string name = await OpenSslClient.NameOfAsync(suite);
        string[] choice = Is13(suite) ? ["-tls1_3", "-ciphersuites", name] : ["-tls1_2", "-cipher", name];
        CommandResult result = await OpenSslClient.GetAsync(fixture.Proxy(kind), "/", choice);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains($"Cipher is {name}", result.Output, StringComparison.Ordinal);
        Assert.Contains("Verify return code: 0 (ok)", result.Output, StringComparison.Ordinal);
        Assert.Contains(
            kind == CertificateKind.Rsa ? "Server public key is 2048 bit" : "Server public key is 256 bit",
            result.Output,
            StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200 OK", result.Output, StringComparison.Ordinal);
        Assert.Contains("hello", result.Output, StringComparison.Ordinal);
    }

    private async Task AssertCurlFetchesAsync(string suite, CertificateKind kind, string http)
    {
        string name = await OpenSslClient.NameOfAsync(suite);
        string[] choice = Is13(suite)
            ? ["--tlsv1.3", "--tls13-ciphers", name]
            : ["--tlsv1.2", "--tls-max", "1.2", "--ciphers", name];
        CommandResult result = await Curl.HashAsync(
            fixture.Proxy(kind), $"/{Length}", ["--verbose", http, .. choice]);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains($" / {name}", result.Error, StringComparison.Ordinal);
        Assert.EndsWith($"200 {Length}", result.Error, StringComparison.Ordinal);
        Assert.Equal(PatternBody.Sha256(Length), result.Output);
    }

    private static bool Is13(string suite) => CipherSuite.Find(suite)!.Version == TlsVersion.Tls13;

    private const long Length = 100_000;

    /// <summary>
    /// One proxy per kind of certificate, since a client cannot always say which kind it wants.
    /// </summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private readonly Dictionary<CertificateKind, ProxyProcess> _proxies = [];
        private NginxOrigin _nginx = null!;

        public ProxyProcess Proxy(CertificateKind kind) => _proxies[kind];

        public async ValueTask InitializeAsync()
        {
            _nginx = await NginxOrigin.StartAsync(Length);
            Dictionary<string, Uri> origins = new() { [""] = _nginx.Address };
            _proxies[CertificateKind.Ecdsa] =
                await ProxyProcess.StartAsync(new ProxySettings { Origins = origins, Rsa = false });
            _proxies[CertificateKind.Rsa] =
                await ProxyProcess.StartAsync(new ProxySettings { Origins = origins, Ecdsa = false });
        }

        public async ValueTask DisposeAsync()
        {
            foreach (ProxyProcess proxy in _proxies.Values)
            {
                await proxy.DisposeAsync();
            }

            await _nginx.DisposeAsync();
        }
    }
}
