using System.Security.Cryptography;
using System.Text;
using Aead;
using TestKit;
using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>Do large bodies pass whole when the kernel protects one direction or both, and does it really protect exactly those?</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class KernelBodyTests(KernelProxies proxies) : KernelProxyTest(proxies)
{
    /// <summary>
    /// Every suite and both versions of HTTP where both directions change hands, one suite of each TLS version where one does. A user-mode
    /// kernel passes some 10 MB in a second, so at the usual scale one body of each TLS version is the largest.
    /// </summary>
    public static TheoryData<LayerChoice, string, string, int> Rows()
    {
        TheoryData<LayerChoice, string, string, int> rows = [];
        foreach (CipherSuite suite in CipherSuite.All.Where(suite => suite.Certificate != CertificateKind.Rsa))
        {
            foreach (string http in (string[])["--http1.1", "--http2"])
            {
                bool isLarge = TestScale.Full || (suite.Name, http) is
                    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "--http2") or ("TLS_AES_128_GCM_SHA256", "--http1.1");
                rows.Add(LayerChoice.Both, suite.Name, http, isLarge ? Large : Medium);
            }
        }

        foreach (LayerChoice layers in (LayerChoice[])[LayerChoice.TransmitOnly, LayerChoice.ReceiveOnly])
        {
            rows.Add(layers, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "--http1.1", TestScale.Choose(Medium, Large));
            rows.Add(layers, "TLS_CHACHA20_POLY1305_SHA256", "--http2", TestScale.Choose(Medium, Large));
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task ABodyPassesEachWay(LayerChoice layers, string suite, string http, int mebibytes)
    {
        long length = (long)mebibytes << 20;
        string name = await OpenSslClient.NameOfAsync(suite);
        string[] choice = CipherSuite.Find(suite)!.Version == TlsVersion.Tls13
            ? [http, "--tlsv1.3", "--tls13-ciphers", name]
            : [http, "--tlsv1.2", "--tls-max", "1.2", "--ciphers", name];
        TlsStatistics before = await Proxies.BeginCountingAsync();
        ProxyProcess proxy = Proxy(layers);
        CommandResult download = await Curl.HashAsync(proxy, $"/{length}", ["--verbose", .. choice], timeout: Timeouts.Bulk);
        string id = Guid.NewGuid().ToString();
        CommandResult upload = await Curl.HashAsync(
            proxy, $"/sink?id={id}", ["--upload-file", Proxies.Nginx.PatternFile(length), .. choice], timeout: Timeouts.Bulk);

        Upload expected = Upload.Whole(length);
        Assert.True(download.ExitCode == 0, download.Everything);
        Assert.Contains($" / {name}", download.Error, StringComparison.Ordinal);
        Assert.Equal(expected.Sha256, download.Output);
        Assert.True(upload.ExitCode == 0, upload.Everything);
        Assert.Equal(expected, await Proxies.Kestrel.Uploads.EndAsync(id));
        TlsStatistics.Read().Since(before).AssertInUse(layers, connections: 2);
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task OpenSslReceivesAndSendsTheSame(string version)
    {
        TlsStatistics before = await Proxies.BeginCountingAsync();
        CommandResult download = await RunQuietAsync(version, writer => writer.WriteAsync(OpenSslClient.Get($"/{Length}")), HashBodyAsync);
        string id = Guid.NewGuid().ToString();
        CommandResult upload = await RunQuietAsync(version, writer => SendBodyAsync(writer, id));

        Assert.True(download.ExitCode == 0, download.Everything);
        Assert.Equal(Upload.Whole(Length).Sha256, download.Output);
        Assert.True(upload.ExitCode == 0, upload.Everything);
        Assert.Equal(Upload.Whole(Length), await Proxies.Kestrel.Uploads.EndAsync(id));
        TlsStatistics.Read().Since(before).AssertInUse(LayerChoice.Both, connections: 2);
    }

    [Theory]
    [InlineData(LayerChoice.Both)]
    [InlineData(LayerChoice.TransmitOnly)]
    [InlineData(LayerChoice.ReceiveOnly)]
    [InlineData(LayerChoice.Neither)]
    public async Task TheKernelHoldsTheKeysOfOpenConnectionsAndOfNoOthers(LayerChoice layers)
    {
        await Proxies.BeginCountingAsync();
        await TlsStatistics.UntilIdleAsync();
        List<Stream> clients = [];
        for (int count = 0; count < Connections; count++)
        {
            Stream client = await Proxy(layers).ConnectAsync();
            clients.Add(client);
            await client.WriteAsync("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            await client.ReadAtLeastAsync(new byte[1024], 1).AsTask().WaitAsync(Timeouts.Exchange);
        }

        TlsStatistics now = TlsStatistics.Read();
        Assert.Equal(layers.Transmits() ? Connections : 0, now["TlsCurrTxSw"]);
        Assert.Equal(layers.Receives() ? Connections : 0, now["TlsCurrRxSw"]);
        foreach (Stream client in clients)
        {
            await client.DisposeAsync();
        }

        await TlsStatistics.UntilIdleAsync();
    }

    // -quiet: nothing but data on standard output, and no letter is a command.
    private Task<CommandResult> RunQuietAsync(string version, Func<StreamWriter, Task> input, Func<Stream, Task<string>>? output = null)
    {
        ProxyProcess proxy = Proxy(LayerChoice.Both);
        return CommandRunner.RunAsync(
            "openssl",
            [
                "s_client", "-quiet", "-connect", $"127.0.0.1:{proxy.Port}", "-servername", "localhost",
                "-CAfile", proxy.Certificates.AuthorityFile, "-verify_return_error", version,
            ],
            async writer =>
            {
                await input(writer);
                await writer.FlushAsync();

                // It is the server that has to end the connection.
                await Task.Delay(Timeouts.Bulk);
            },
            output,
            Timeouts.Bulk);
    }

    private static async Task SendBodyAsync(StreamWriter writer, string id)
    {
        await writer.WriteAsync(
            $"PUT /sink?id={id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {Length}\r\n\r\n");
        await writer.FlushAsync();
        await PatternBody.WriteToAsync(writer.BaseStream, Length, default);
    }

    private static async Task<string> HashBodyAsync(Stream response)
    {
        byte[] head = new byte[1];
        StringBuilder seen = new();
        while (!seen.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await response.ReadAsync(head) == 1)
        {
            seen.Append((char)head[0]);
        }

        return Convert.ToHexStringLower(await SHA256.HashDataAsync(response));
    }

    private const int Large = KernelProxies.LargeMebibytes;
    private const int Medium = KernelProxies.MediumMebibytes;
    private const long Length = Medium << 20;
    private const int Connections = 5;
}
