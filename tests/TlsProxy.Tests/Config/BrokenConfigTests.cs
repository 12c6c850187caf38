using System.Text.Json.Nodes;
using Xunit;

namespace TlsProxy.Tests.Config;

/// <summary>Each way to break a configuration: 'check' must name the setting, the fault and the remedy.</summary>
[Trait("Claim", "C6")]
public sealed class BrokenConfigTests(ConfigFolder folder) : IClassFixture<ConfigFolder>
{
    /// <summary>What to change in a good configuration, and words that the error must hold.</summary>
    public static TheoryData<string, string, string[]> Settings { get; } = new()
    {
        { "TlsProxy:Listener", "{}", ["TlsProxy:Listener: there is no such setting", "did you mean 'Listeners'?"] },
        { "TlsProxy:Listeners", "{}", ["Listeners: is empty", "add one"] },
        { "TlsProxy:Listeners", "[ ]", ["Listeners: is empty", "add one"] },
        { "TlsProxy:Listeners", "8443", ["Listeners: expects an object", "not the value '8443'"] },
        { "TlsProxy:Listeners:https:Adress", "\"0.0.0.0:1\"", ["https:Adress: there is no such setting", "did you mean 'Address'?"] },
        { "TlsProxy:Listeners:https:Zzzzzzzzzz", "1", ["there is no such setting", "known are Address, Mode"] },
        { "TlsProxy:Listeners:https:Address", "null", ["https:Address: is missing", "write ip:port"] },
        { "TlsProxy:Listeners:https:Address", "\"localhost:8443\"", ["'localhost' is not an IP address", "not a host name"] },
        { "TlsProxy:Listeners:https:Address", "\"0.0.0.0\"", ["'0.0.0.0' has no port", "write ip:port"] },
        { "TlsProxy:Listeners:https:Address", "\"0.0.0.0:65536\"", ["'65536' is not a port", "0 to 65535"] },
        { "TlsProxy:Listeners:https:Address", "\"::1:8443\"", ["'::1' is not an IP address", "[ipv6]:port"] },
        { "TlsProxy:Listeners:https:Address", "\"1:8443\"", ["'1' is not an IP address", "write ip:port"] },
        { "TlsProxy:Listeners:second", "{ \"Address\": \"127.0.0.1:8443\", \"Certificates\": [ { \"Certificate\": \"combined.pem\" } ] }",
            ["already the address of listener", "its own port"] },
        { "TlsProxy:Listeners:https:Mode", "\"Htttp\"", ["'Htttp' is not one of Http, Tcp, Passthrough"] },
        { "TlsProxy:Listeners:https:Mode", "\"0\"", ["'0' is not one of Http, Tcp, Passthrough"] },
        { "TlsProxy:Listeners:https:Mode", "\"Tcp\"", ["https:Mode: not available yet", "set it to Http"] },
        { "TlsProxy:Listeners:https:Mode", "\"Passthrough\"", ["https:Mode: not available yet", "set it to Http"] },
        { "TlsProxy:Listeners:https:Cluster", "\"db\"", ["https:Cluster: not available yet", "remove it"] },
        { "TlsProxy:Listeners:https:SniClusters", "{ \"db.example\": \"db\" }", ["https:SniClusters: not available yet"] },
        { "TlsProxy:Listeners:https:ClientCertificates", "{ \"Mode\": \"Require\" }", ["ClientCertificates:Mode: not available yet"] },
        { "TlsProxy:Listeners:https:ClientCertificates", "{ \"TrustedRoots\": \"r.pem\" }", ["TrustedRoots: not available yet"] },
        { "TlsProxy:Listeners:https:ClientCertificates", "{ \"Forward\": \"Rfc9440\" }", ["ClientCertificates:Forward: not available yet"] },
        { "TlsProxy:Listeners:https:SessionTickets", "{ \"Enabled\": true }", ["SessionTickets:Enabled: not available yet", "false"] },
        { "TlsProxy:Listeners:https:ProxyProtocol", "\"V2\"", ["ProxyProtocol: not available yet", "Off"] },
        { "TlsProxy:Listeners:https:Kernel", "{ \"Transmit\": \"Yes\" }", ["Kernel:Transmit: 'Yes' is not one of Auto, On, Off"] },
        { "TlsProxy:Listeners:https:Kernel", "{ \"Recieve\": \"On\" }",
            ["Kernel:Recieve: there is no such setting", "did you mean 'Receive'?"] },
        { "TlsProxy:Listeners:https:Kernel", "{ \"Accept\": \"6.8.0-1\" }", ["Kernel:Accept: expects a list"] },
        { "TlsProxy:Listeners:https:Kernel", "{ \"Accept\": [ \"6.8.0-1\", \"6.8.0-2 \" ] }",
            ["Accept:1: '6.8.0-2 ' is not a release", "uname -r"] },
        { "TlsProxy:Listeners:https:Kernel", "{ \"Accept\": [ \"\" ] }", ["Accept:0: null is not a value here"] },
        { "TlsProxy:Listeners:https:Kernel", "{ \"Transmit\": \"Off\", \"Receive\": \"Off\", \"Accept\": [ \"6.8.0-1\" ] }",
            ["Kernel:Accept: has a meaning only where the kernel may be used", "remove it"] },
        { "TlsProxy:Admin", "{ \"Address\": \"127.0.0.1:9090\" }", ["TlsProxy:Admin: not available yet", "remove it"] },
        { "TlsProxy:Listeners:https:MinimumTls", "\"1.1\"", ["'1.1' is not a version", "\"1.2\" or \"1.3\""] },
        { "TlsProxy:Listeners:https:CipherSuites", "[ \"TLS_AES_128_CGM_SHA256\" ]",
            ["CipherSuites:0: 'TLS_AES_128_CGM_SHA256'", "did you mean TLS_AES_128_GCM_SHA256?", "TLS_CHACHA20_POLY1305_SHA256"] },
        { "TlsProxy:Listeners:https:CipherSuites", "[ \"TLS_AES_128_GCM_SHA256\", \"TLS_AES_128_GCM_SHA256\" ]",
            ["CipherSuites:1", "listed twice"] },
        { "TlsProxy:Listeners:https:CipherSuites", "\"TLS_AES_128_GCM_SHA256\"", ["CipherSuites: expects a list"] },
        { "TlsProxy:Listeners:https:CipherSuites", "{ \"a\": \"b\" }", ["CipherSuites: expects a list", "key 'a'"] },
        { "TlsProxy:Listeners:https:CipherSuites", "[ null ]", ["CipherSuites:0: null is not a value here"] },
        { "TlsProxy:Listeners:https:CipherSuites", "[ \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\" ]",
            ["no suite fits the certificates", "Ecdsa"] },
        { "TlsProxy:Listeners:https:Groups", "[ \"P-265\" ]", ["Groups:0: 'P-265' is not a group", "did you mean P-256?"] },
        { "TlsProxy:Listeners:https:Alpn", "[ \"h3\" ]", ["Alpn:0: 'h3' is not a protocol", "h2, http/1.1"] },
        { "TlsProxy:Listeners:https:HandshakeTimeout", "\"10\"", ["HandshakeTimeout: '10' is not a time span", "00:00:10"] },
        { "TlsProxy:Listeners:https:HandshakeTimeout", "\"00:00:00\"", ["HandshakeTimeout: 00:00:00 is out of range", "00:00:01"] },
        { "TlsProxy:Listeners:https:HandshakeTimeout", "\"-00:00:10\"", ["HandshakeTimeout: -00:00:10 is out of range"] },
        { "TlsProxy:Listeners:https:MaxConnections", "0", ["MaxConnections: 0 admits nobody", "1 or more"] },
        { "TlsProxy:Listeners:https:MaxConnections", "\"many\"", ["MaxConnections: 'many' is not a whole number"] },
        { "TlsProxy:Listeners:https:MaxConnections", "3000000000", ["MaxConnections: '3000000000' is not a whole number up to"] },
        { "TlsProxy:Listeners:https:MaxHandshakes", "-1", ["MaxHandshakes: -1 admits nobody"] },
        { "TlsProxy:Listeners:https:MaxHandshakes", "[ 1 ]", ["MaxHandshakes: expects a whole number", "not an object or a list"] },
        { "TlsProxy:Pages:Delivery", "\"Teleport\"", ["Pages:Delivery: 'Teleport' is not one of Auto, Flip, Copy"] },
        { "TlsProxy:Pages:MaxMegabytes", "3", ["MaxMegabytes: 3 is out of range", "4 to"] },
        { "TlsProxy:Pages:FlipThreshold", "0", ["FlipThreshold: 0 is not a number of bytes", "null for never"] },
        { "TlsProxy:Pages", "{ \"Delivery\": \"Copy\", \"FlipThreshold\": 4096 }", ["FlipThreshold: has a meaning with Delivery Auto only"] },
        { "TlsProxy:Pages:Locking", "true", ["Pages:Locking: 'True' is not one of BestEffort, Required"] },
        { "TlsProxi", "{}", ["TlsProxi: there is no such section", "did you mean 'TlsProxy'?"] },
        { "Logging", "{ \"LogLevel\": { \"Default\": \"Loud\" } }", ["Logging:LogLevel:Default: 'Loud' is not one of Trace, Debug"] },
        { "Logging", "{ \"Console\": {} }", ["Logging:Console: there is no such setting", "LogLevel"] },
    };

    /// <summary>The one entry of "Certificates", and words that the error must hold.</summary>
    public static TheoryData<string, string[]> Certificates { get; } = new()
    {
        { "{ }", ["Certificates:0:Certificate: is missing", "PEM or PFX"] },
        { "{ \"Certificate\": \"nowhere.pem\" }", ["/nowhere.pem does not exist", "relative paths start at the folder"] },
        { "{ \"Certificate\": \"chain.pem\", \"Key\": \"nowhere.key\" }", ["Certificates:0:Key", "/nowhere.key does not exist"] },
        { "{ \"Certificate\": \"chain.pem\" }", ["chain.pem holds no private key", "BEGIN PRIVATE KEY"] },
        { "{ \"Certificate\": \"not.pem\" }", ["not.pem is neither PEM nor a PFX file"] },
        { "{ \"Certificate\": \"not.pem\", \"Key\": \"leaf.key\" }", ["not.pem is not PEM", "remove Key"] },
        { "{ \"Certificate\": \"damaged.pem\", \"Key\": \"leaf.key\" }", ["damaged.pem is damaged", "export the chain again"] },
        { "{ \"Certificate\": \"leaf.key\" }", ["leaf.key holds no certificate", "leaf first"] },
        { "{ \"Certificate\": \"chain.pem\", \"Key\": \"chain.pem\" }", ["chain.pem holds no private key"] },
        { "{ \"Certificate\": \"chain.pem\", \"Key\": \"other.key\" }", ["other.key does not belong to the first certificate"] },
        { "{ \"Certificate\": \"chain.pem\", \"Key\": \"rsa.key\" }", ["rsa.key does not belong to the first certificate"] },
        { "{ \"Certificate\": \"reversed.pem\", \"Key\": \"leaf.key\" }", ["CN=Test authority", "server's own certificate first"] },
        { "{ \"Certificate\": \"chain.pem\", \"Key\": \"encrypted.key\" }", ["encrypted.key is encrypted", "set Password"] },
        { "{ \"Certificate\": \"chain.pem\", \"Key\": \"encrypted.key\", \"Password\": \"x\" }",
            ["encrypted.key does not decrypt with this Password", "correct Password"] },
        { "{ \"Certificate\": \"chain.pem\", \"Key\": \"old.key\" }", ["old.key is encrypted in OpenSSL's old format", "openssl pkcs8"] },
        { "{ \"Certificate\": \"locked.pfx\" }", ["locked.pfx is neither PEM nor a PFX file without a password", "set Password"] },
        { "{ \"Certificate\": \"locked.pfx\", \"Password\": \"x\" }", ["locked.pfx does not open", "correct Password"] },
        { "{ \"Certificate\": \"keyless.pfx\" }", ["keyless.pfx holds no ECDSA or RSA key", "with its private key"] },
        { "{ \"Certificate\": \"weak.pem\", \"Key\": \"weak.key\" }", ["weak.pem cannot be used", "2048"] },
        { "{ \"Certificate\": \"chain.pem\", \"Kee\": \"leaf.key\" }", ["Certificates:0:Kee: there is no such setting", "did you mean 'Key'?"] },
    };

    /// <summary>The section "ReverseProxy", and words that the error must hold.</summary>
    public static TheoryData<string, string[]> ReverseProxies { get; } = new()
    {
        { Proxy(route: "\"ClusterId\": \"b\", \"Match\": { \"Path\": \"/\" }"), ["Routes:r:ClusterId: there is no cluster 'b'", "did you mean 'a'?"] },
        { Proxy(route: "\"Match\": { \"Path\": \"/\" }"), ["Routes:r:ClusterId: is missing", "name the cluster"] },
        { Proxy(route: "\"ClusterId\": \"a\""), ["Routes:r:Match: needs a Path or Hosts", "{**any}"] },
        { Proxy(route: "\"ClusterId\": \"a\", \"Match\": {}"), ["Routes:r:Match: needs a Path or Hosts"] },
        { Proxy(route: "\"ClusterId\": \"a\", \"Match\": { \"Pth\": \"/\" }"), ["Match:Pth: there is no such setting", "did you mean 'Path'?"] },
        { Proxy(route: "\"RouteId\": \"x\", \"ClusterId\": \"a\", \"Match\": { \"Path\": \"/\" }"), ["Routes:r:RouteId: there is no such setting"] },
        { Proxy(route: "\"ClusterId\": \"a\", \"Match\": { \"Path\": \"/{**\" }"), ["Routes:r: Invalid path"] },
        { Proxy(route: "\"ClusterId\": \"a\", \"Match\": { \"Path\": \"/\" }, \"Order\": \"first\""), ["Order: 'first' is not a whole number"] },
        { Proxy(route: "\"ClusterId\": \"a\", \"Match\": { \"Path\": \"/\" }, \"AuthorizationPolicy\": \"admins\""), ["there is no policy 'admins'", "remove it"] },
        { Proxy(route: "\"ClusterId\": \"a\", \"Match\": { \"Path\": \"/\" }, \"Transforms\": [ { \"PathPrefx\": \"/x\" } ]"), ["Routes:r", "PathPrefx"] },
        { Proxy(destination: "\"Address\": \"127.0.0.1:9000\""), ["Destinations:d:Address: '127.0.0.1:9000' is not an http:// or https:// URL"] },
        { Proxy(destination: "\"Address\": \"ftp://127.0.0.1/\""), ["'ftp://127.0.0.1/' is not an http:// or https:// URL", "http://127.0.0.1:9000/"] },
        { Proxy(destination: "\"Adress\": \"http://127.0.0.1/\""), ["Destinations:d:Adress: there is no such setting", "did you mean 'Address'?"] },
        { Proxy(destination: ""), ["Destinations:d:Address: is missing"] },
        { Proxy(cluster: ", \"LoadBalancingPolicy\": \"Fastest\""), ["Clusters:a", "Fastest"] },
        { Proxy(cluster: ", \"LoadBalancing\": \"Random\""), ["Clusters:a:LoadBalancing: there is no such setting", "LoadBalancingPolicy"] },
        { Proxy(cluster: ", \"HttpClient\": { \"SslProtocols\": [ \"Tls99\" ] }"), ["SslProtocols:0: 'Tls99' is not one of"] },
        { Proxy(cluster: ", \"HttpRequest\": { \"ActivityTimeout\": \"100\" }"), ["ActivityTimeout: '100' is not a time span"] },
        { Proxy(cluster: ", \"HttpRequest\": { \"Version\": \"two\" }"), ["HttpRequest:Version: 'two' is not a version"] },
        { "{ \"Routes\": {}, \"Clusters\": { \"a\": {} } }", ["Clusters:a:Destinations: is empty", "add one"] },
        { "{ \"Clusers\": {} }", ["ReverseProxy:Clusers: there is no such setting", "did you mean 'Clusters'?"] },
    };

    [Theory, MemberData(nameof(Settings))]
    public async Task Setting(string path, string value, string[] words)
    {
        JsonNode root = JsonNode.Parse(Good)!;
        Set(root, path.Split(':'), value);
        await AssertRefusedAsync(root.ToJsonString(), words);
    }

    [Theory, MemberData(nameof(Certificates))]
    public async Task Certificate(string entry, string[] words)
    {
        JsonNode root = JsonNode.Parse(Good)!;
        Set(root, ["TlsProxy", "Listeners", "https", "Certificates"], $"[ {entry} ]");
        await AssertRefusedAsync(root.ToJsonString(), words);
    }

    [Theory, MemberData(nameof(ReverseProxies))]
    public async Task ReverseProxy(string section, string[] words)
    {
        JsonNode root = JsonNode.Parse(Good)!;
        root["ReverseProxy"] = JsonNode.Parse(section);
        await AssertRefusedAsync(root.ToJsonString(), words);
    }

    [Fact]
    public async Task MinimumTls13WithTls12SuitesOnly()
    {
        JsonNode root = JsonNode.Parse(Good)!;
        Set(root, ["TlsProxy", "Listeners", "https", "MinimumTls"], "\"1.3\"");
        Set(root, ["TlsProxy", "Listeners", "https", "CipherSuites"], "[ \"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\" ]");
        await AssertRefusedAsync(root.ToJsonString(), ["no suite is left for MinimumTls 1.3", "add TLS_", "or lower MinimumTls"]);
    }

    [Theory]
    [InlineData("{\n  \"TlsProxy\": {\n    nonsense\n", "(3,5): is not valid JSON")]
    [InlineData("[ ]", "Top-level JSON element must be an object")]
    [InlineData("{ \"TlsProxy\": { \"Admin\": \"a\", \"admin\": \"b\" } }", "merge the two entries")]
    [InlineData("", "is not valid JSON")]
    [InlineData("{ \"\": { \"a\": 1 } }", ".json, key '': there is no such section")]
    [InlineData("{ \"TlsProxy\": { \"Listeners\": { \"\\uD83D\": {} } } }", "is not valid JSON: a text has half of a surrogate pair")]
    [InlineData("{ \"TlsProxy\": { \"Admin\": \"\\uDE00\" } }", "is not valid JSON: a text has half of a surrogate pair")]
    public Task NotJson(string text, string words) => AssertRefusedAsync(text, [words]);

    [Fact]
    public async Task MissingFile()
    {
        (int exitCode, _, string error) = await ConfigFolder.RunAsync("check", "--config", folder.PathOf("nowhere.json"));
        Assert.Equal(1, exitCode);
        Assert.Contains($"{folder.PathOf("nowhere.json")}: there is no such file", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EveryErrorIsPrintedAtOnce()
    {
        (_, _, string error) = await folder.CheckAsync("""
            {
              "TlsProxy": { "Listeners": { "https": { "Address": "x", "MaxConnections": 0, "Colour": "red" } }, "Pages": { "MaxMegabytes": 1 } },
              "ReverseProxy": { "Routes": { "r": { "ClusterId": "nowhere" } } }
            }
            """);
        foreach (string word in new[] { "https:Address", "MaxConnections", "Colour", "MaxMegabytes", "ClusterId", "Match", "6 error(s)" })
        {
            Assert.Contains(word, error, StringComparison.Ordinal);
        }
    }

    private async Task AssertRefusedAsync(string json, string[] words)
    {
        (int exitCode, string output, string error) = await folder.CheckAsync(json);
        Assert.Equal(1, exitCode);
        Assert.Empty(output);
        foreach (string word in words)
        {
            Assert.Contains(word, error, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(" at TlsProxy.", error, StringComparison.Ordinal);
    }

    private static void Set(JsonNode root, string[] path, string value)
    {
        JsonNode node = root;
        foreach (string key in path[..^1])
        {
            node = node[key] ??= new JsonObject();
        }

        node[path[^1]] = JsonNode.Parse(value);
    }

    private static string Proxy(
        string route = "\"ClusterId\": \"a\", \"Match\": { \"Path\": \"{**any}\" }",
        string destination = "\"Address\": \"http://127.0.0.1:9000/\"",
        string cluster = "") =>
        $$"""
        {
          "Routes": { "r": { {{route}} } },
          "Clusters": { "a": { "Destinations": { "d": { {{destination}} } } {{cluster}} } }
        }
        """;

    private const string Good = """
        {
          "TlsProxy": {
            "Listeners": {
              "https": { "Address": "127.0.0.1:8443", "Certificates": [ { "Certificate": "chain.pem", "Key": "leaf.key" } ] }
            }
          },
          "ReverseProxy": {
            "Routes": { "r": { "ClusterId": "a", "Match": { "Path": "{**any}" } } },
            "Clusters": { "a": { "Destinations": { "d": { "Address": "http://127.0.0.1:9000/" } } } }
          }
        }
        """;
}
