using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TestKit;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.Proxy;

/// <summary>What a backend is told about the client, and that the client cannot tell it otherwise.</summary>
public sealed class ForwardedHeadersTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheBackendSeesTheProxysValuesAndNotTheClients()
    {
        await using WebApplication origin = await StartOriginAsync();
        string config = _folder.File("proxy.json");
        await File.WriteAllTextAsync(config, $$"""
            {
              "TlsProxy": { "Listeners": { "a": { "Address": "127.0.0.1:0" } } },
              "ReverseProxy": {
                "Routes": { "all": { "ClusterId": "o", "Match": { "Path": "{**any}" }, "Timeout": "00:00:20" } },
                "Clusters": { "o": { "Destinations": { "o": { "Address": "{{origin.Urls.Single()}}" } } } }
              }
            }
            """);
        await using RunningProgram proxy = new(RepositoryFiles.ProxyExecutable, ["--config", config], _folder.FullPath);
        int port = await PortOfAsync(proxy);

        using X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(_folder.File("certs/dev-ca.pem"));
        using var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { authority },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        using var client = new HttpClient(handler) { Timeout = Timeouts.Exchange };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://localhost:{port}/path");
        request.Headers.Add("X-Forwarded-For", "203.0.113.7");
        request.Headers.Add("X-Forwarded-Proto", "gopher");
        request.Headers.Add("X-Forwarded-Host", "evil.example");
        request.Headers.Add("Forwarded", "for=203.0.113.7");
        request.Headers.Add("X-Real-IP", "203.0.113.7");
        request.Headers.Add("Client-Cert", ":AAAA:");
        request.Headers.Add("X-Forwarded-Client-Cert", "Subject=admin");
        request.Headers.Add("X-Harmless", "kept");
        using HttpResponseMessage response = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal($"127.0.0.1|https|localhost:{port}|||||kept", await response.Content.ReadAsStringAsync());
        Assert.False(response.Headers.Contains("Server"));
    }

    private static async Task<WebApplication> StartOriginAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(o => o.AddServerHeader = false);
        WebApplication origin = builder.Build();
        origin.Run(context => context.Response.WriteAsync(string.Join(
            '|', Names.Select(name => context.Request.Headers[name].ToString()))));
        await origin.StartAsync();
        return origin;
    }

    private static async Task<int> PortOfAsync(RunningProgram proxy)
    {
        using CancellationTokenSource patience = new(Timeouts.Program);
        while (true)
        {
            Match line = Regex.Match(proxy.Output, @"listening on https://127\.0\.0\.1:(\d+)/");
            if (line.Success)
            {
                return int.Parse(line.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), patience.Token);
        }
    }

    private static readonly string[] Names =
    [
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
        "Forwarded", "X-Real-IP", "Client-Cert", "X-Forwarded-Client-Cert", "X-Harmless",
    ];
}
