using Xunit;

namespace TlsProxy.Tests.Config;

/// <summary>Configurations that 'check' accepts, and what it warns of in them.</summary>
public sealed class GoodConfigTests(ConfigFolder folder) : IClassFixture<ConfigFolder>
{
    [Theory]
    [InlineData("{ \"Certificate\": \"chain.pem\", \"Key\": \"leaf.key\" }")]
    [InlineData("{ \"Certificate\": \"chain.pem\", \"Key\": \"sec1.key\" }")]
    [InlineData("{ \"Certificate\": \"chain.pem\", \"Key\": \"encrypted.key\", \"Password\": \"correct horse\" }")]
    [InlineData("{ \"Certificate\": \"combined.pem\" }")]
    [InlineData("{ \"Certificate\": \"leaf.pfx\" }")]
    [InlineData("{ \"Certificate\": \"locked.pfx\", \"Password\": \"correct horse\" }")]
    [InlineData("{ \"Certificate\": \"rsa.pem\", \"Key\": \"rsa.key\" }")]
    [InlineData("{ \"Certificate\": \"chain.pem\", \"Key\": \"leaf.key\", \"ServerNames\": [ \"api.example\", \"*.wild.example\" ] }")]
    [InlineData("{ \"Certificate\": \"chain.pem\", \"Key\": \"leaf.key\" }, { \"Certificate\": \"rsa.pem\", \"Key\": \"rsa.key\" }")]
    public Task CertificateIsAccepted(string entry) => AssertValidAsync(Listener($"\"Certificates\": [ {entry} ]"));

    [Theory]
    [InlineData("\"MinimumTls\": \"1.3\"")]
    [InlineData("\"MinimumTls\": \"1.3\", \"CipherSuites\": [ \"TLS_AES_256_GCM_SHA384\" ]")]
    [InlineData("\"Groups\": [ \"X25519\", \"secp384r1\" ], \"Alpn\": [ \"http/1.1\" ]")]
    [InlineData("\"HandshakeTimeout\": \"00:00:03\", \"MaxConnections\": 10, \"MaxHandshakes\": 2")]
    [InlineData("\"Mode\": \"Http\", \"Cluster\": null, \"SniClusters\": {}, \"ProxyProtocol\": \"Off\"")]
    [InlineData("\"ClientCertificates\": { \"Mode\": \"None\", \"TrustedRoots\": null, \"Forward\": \"None\" }")]
    [InlineData("\"SessionTickets\": { \"Enabled\": false }, \"Kernel\": { \"Transmit\": \"Auto\", \"Receive\": \"Off\", \"Accept\": [] }")]
    [InlineData("\"Kernel\": { \"Transmit\": \"On\", \"Receive\": \"On\", \"Accept\": [ \"6.8.0-45-generic\" ] }")]
    [InlineData("\"CipherSuites\": [], \"Groups\": null")]
    public Task SettingIsAccepted(string settings) =>
        AssertValidAsync(Listener($"{settings}, \"Certificates\": [ {{ \"Certificate\": \"combined.pem\" }} ]"));

    [Theory]
    [InlineData("{ \"Certificate\": \"expired.pem\", \"Key\": \"leaf.key\" }", "expired on")]
    [InlineData("{ \"Certificate\": \"early.pem\", \"Key\": \"leaf.key\" }", "is not valid before")]
    [InlineData("{ \"Certificate\": \"leaf.pem\", \"Key\": \"leaf.key\" }", "append the intermediate certificates")]
    [InlineData("{ \"Certificate\": \"disordered.pem\", \"Key\": \"leaf.key\" }", "order the file leaf first")]
    [InlineData("{ \"Certificate\": \"chain.pem\", \"Key\": \"leaf.key\", \"ServerNames\": [ \"other.example\" ] }", "does not cover 'other.example'")]
    public async Task CertificateIsAcceptedWithAWarning(string entry, string words)
    {
        (int exitCode, string output, string error) = await folder.CheckAsync(Listener($"\"Certificates\": [ {entry} ]"));
        Assert.Equal((0, "warning: "), (exitCode, error[..9]));
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.EndsWith("configuration is valid.\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public Task AddressesMayDifferByPortAloneAndPortZeroMayRepeat() => AssertValidAsync("""
        { "TlsProxy": { "Listeners": {
          "a": { "Address": "127.0.0.1:8443", "Certificates": [ { "Certificate": "combined.pem" } ] },
          "b": { "Address": "127.0.0.1:8444", "Certificates": [ { "Certificate": "combined.pem" } ] },
          "c": { "Address": "[::1]:8443", "Certificates": [ { "Certificate": "combined.pem" } ] },
          "d": { "Address": "127.0.0.1:0", "Certificates": [ { "Certificate": "combined.pem" } ] },
          "e": { "Address": "127.0.0.1:0", "Certificates": [ { "Certificate": "combined.pem" } ] } } } }
        """);

    /// <summary>YARP's own schema, as much of it as fits, must pass the strict reader unchanged.</summary>
    [Fact]
    public Task EveryKindOfYarpSettingIsAccepted() => AssertValidAsync("""
        {
          "Logging": { "LogLevel": { "Default": "Debug", "Yarp": "Information" } },
          "TlsProxy": {
            "Listeners": { "https": { "Address": "127.0.0.1:0", "Certificates": [ { "Certificate": "combined.pem" } ] } },
            "Pages": { "Delivery": "Auto", "FlipThreshold": 65536, "MaxMegabytes": 64, "Locking": "Required" }
          },
          "ReverseProxy": {
            "Routes": {
              "api": {
                "ClusterId": "api", "Order": 1, "MaxRequestBodySize": 1000000, "Timeout": "00:00:30",
                "AuthorizationPolicy": "anonymous", "CorsPolicy": "disable",
                "Match": {
                  "Path": "/api/{**rest}", "Hosts": [ "api.example" ], "Methods": [ "GET", "POST" ],
                  "Headers": [ { "Name": "x-a", "Values": [ "1" ], "Mode": "ExactHeader", "IsCaseSensitive": true } ],
                  "QueryParameters": [ { "Name": "q", "Values": [ "1" ], "Mode": "Contains" } ]
                },
                "Transforms": [ { "PathRemovePrefix": "/api" }, { "RequestHeader": "x-b", "Set": "2" } ],
                "Metadata": { "Anything": "goes" }
              }
            },
            "Clusters": {
              "api": {
                "LoadBalancingPolicy": "RoundRobin",
                "SessionAffinity": { "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "k", "Cookie": { "HttpOnly": true, "SameSite": "Lax" } },
                "HealthCheck": {
                  "Active": { "Enabled": true, "Interval": "00:00:10", "Timeout": "00:00:05", "Policy": "ConsecutiveFailures", "Path": "/health" },
                  "Passive": { "Enabled": true, "Policy": "TransportFailureRate", "ReactivationPeriod": "00:01:00" }
                },
                "HttpClient": { "SslProtocols": [ "Tls12", "Tls13" ], "MaxConnectionsPerServer": 100, "RequestHeaderEncoding": "utf-8" },
                "HttpRequest": { "ActivityTimeout": "00:01:40", "Version": "2", "VersionPolicy": "RequestVersionExact" },
                "Destinations": {
                  "one": { "Address": "https://127.0.0.1:9001/", "Health": "http://127.0.0.1:9002/", "Host": "api.internal", "Metadata": { "zone": "a" } }
                },
                "Metadata": { "ConsecutiveFailuresHealthPolicy.Threshold": "3" }
              }
            }
          }
        }
        """);

    [Fact]
    public async Task CheckWritesNoCertificate()
    {
        (int exitCode, _, _) = await folder.CheckAsync("""{ "TlsProxy": { "Listeners": { "https": { "Address": "127.0.0.1:8443" } } } }""");
        Assert.Equal(0, exitCode);
        Assert.False(Directory.Exists(folder.PathOf("certs")));
    }

    private async Task AssertValidAsync(string json)
    {
        (int exitCode, string output, string error) = await folder.CheckAsync(json);
        Assert.Equal("", error);
        Assert.Equal(0, exitCode);
        Assert.EndsWith("configuration is valid.\n", output, StringComparison.Ordinal);
    }

    private static string Listener(string settings) =>
        $$"""{ "TlsProxy": { "Listeners": { "https": { "Address": "127.0.0.1:8443", {{settings}} } } } }""";
}
