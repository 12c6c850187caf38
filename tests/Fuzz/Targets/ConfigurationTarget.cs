using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TestKit;
using TestKit.Certificates;
using TlsProxy.Config;
using Xunit;

namespace Fuzz.Targets;

/// <summary>The text of appsettings.json, as 'TlsProxy check' reads it.</summary>
internal sealed partial class ConfigurationTarget : IFuzzTarget
{
    private readonly Lazy<string> _file = new(PrepareFolder);

    public string Name => "configuration";

    public string Oracle =>
        "A text is accepted without an error or refused with sentences that each begin with the path of a setting or the place in the file; "
        + "what is accepted is refused once any object of it has a key that nobody knows.";

    public void Run(ReadOnlySpan<byte> input)
    {
        File.WriteAllBytes(_file.Value, input);
        if (!IsAccepted() || Parse(input) is not JsonObject root || root["TlsProxy"] is not JsonObject section)
        {
            return;
        }

        JsonObject[] objects = [.. Objects(section)];
        objects[input.Length % objects.Length]["Zz"] = 1;
        File.WriteAllText(_file.Value, root.ToJsonString());
        Assert.False(IsAccepted(), "A key that nobody knows was accepted.");
    }

    public IEnumerable<(string Name, byte[] Input)> Seeds()
    {
        yield return ("shipped", File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, "appsettings.json")));
        yield return Seed("empty", "{}");
        yield return Seed("no-object", "[1]");
        yield return Seed("cut", """{ "TlsProxy": { "Listeners": """);
        yield return Seed("listener", """
            {"TlsProxy":{"Listeners":{"https":{"Address":"[::]:8443","Certificates":[{"Certificate":"leaf.pem","Key":"leaf.key","ServerNames":["localhost"]}],
            "MinimumTls":"1.3","CipherSuites":["TLS_AES_128_GCM_SHA256"],"Groups":["X25519","P-256"],"Alpn":["h2"],"HandshakeTimeout":"00:00:05",
            "MaxConnections":10,"MaxHandshakes":5,"Kernel":{"Transmit":"Off","Receive":"Auto","Accept":["6.8.0-45"]}}}}}
            """);
        yield return Seed("pages", """
            {"TlsProxy":{"Listeners":{"a":{"Address":"127.0.0.1:1"}},"Pages":{"Delivery":"Auto","FlipThreshold":65536,"MaxMegabytes":64,
            "Locking":"Required"}},"Logging":{"LogLevel":{"Default":"Debug"}}}
            """);
        yield return Seed("unavailable", """
            {"TlsProxy":{"Listeners":{"a":{"Address":"127.0.0.1:1","Mode":"Tcp","Cluster":"c","SniClusters":{"a.b":"c"},
            "ClientCertificates":{"Mode":"Require","TrustedRoots":"r.pem","Forward":"Rfc9440"},"SessionTickets":{"Enabled":true},
            "ProxyProtocol":"V1"}},"Admin":{"Address":"127.0.0.1:9090"}}}
            """);
        yield return Seed("routes", """
            {"TlsProxy":{"Listeners":{"a":{"Address":"127.0.0.1:1"}}},"ReverseProxy":{"Routes":{"r":{"ClusterId":"c","Order":1,"Match":{"Path":"/x/{**y}",
            "Hosts":["a.b"],"Methods":["GET"],"Headers":[{"Name":"h","Values":["v"],"Mode":"Prefix"}]},"Transforms":[{"PathPrefix":"/p"}],
            "Metadata":{"k":"v"}}},"Clusters":{"c":{"LoadBalancingPolicy":"RoundRobin","HttpClient":{"SslProtocols":["Tls12","Tls13"]},
            "HttpRequest":{"Version":"2","ActivityTimeout":"00:01:00"},"HealthCheck":{"Active":{"Enabled":true,"Interval":"00:00:10","Path":"/"}},
            "Destinations":{"d":{"Address":"http://127.0.0.1:9000/"}}}}}}
            """);
        yield return Seed("comments", "// a comment\n{ \"TlsProxy\": { /* another */ \"Listeners\": { \"a\": { \"Address\": \"127.0.0.1:1\", }, }, } }");
        yield return Seed("repeated-key", """{"TlsProxy":{"Listeners":{"a":{"Address":"127.0.0.1:1","address":"127.0.0.1:2"}}}}""");
        yield return Seed("flat-keys", """{"TlsProxy:Listeners:a:Address":"127.0.0.1:1","TlsProxy":{"Listeners":{"a":null}}}""");
        yield return Seed("escapes", "{\"TlsProxy\":{\"Listeners\":{\"\\u00e9\\n\":{\"Address\":\"\\u0031\"}}}}");
    }

    private bool IsAccepted()
    {
        var report = new ConfigReport();
        ProxySettings? settings = ProxySettings.ReadAsync(_file.Value, mayWrite: false, report).GetAwaiter().GetResult();
        Assert.Equal(settings is not null, report.IsValid);
        Assert.All(report.Errors.Concat(report.Warnings), sentence => Assert.True(IsSentence(sentence), sentence));
        Assert.True(settings is null || settings.Listeners.Count > 0);
        return report.IsValid;
    }

    private bool IsSentence(string sentence) => sentence.StartsWith(_file.Value, StringComparison.Ordinal) || Place().IsMatch(sentence);

    private static JsonNode? Parse(ReadOnlySpan<byte> input)
    {
        var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
        return JsonNode.Parse(Encoding.UTF8.GetString(input).TrimStart('\uFEFF'), documentOptions: options);
    }

    private static IEnumerable<JsonObject> Objects(JsonObject root) =>
        root.Select(entry => entry.Value).OfType<JsonObject>().SelectMany(Objects).Prepend(root);

    private static (string, byte[]) Seed(string name, string text) => (name, Encoding.UTF8.GetBytes(text));

    // In memory where there is such a place: each input is written once or twice.
    private static string PrepareFolder()
    {
        var certificates = new TestCertificates();
        var folder = new TemporaryDirectory();
        File.Copy(certificates.EcdsaFile, folder.File("leaf.pem"));
        File.Copy(certificates.EcdsaKeyFile, folder.File("leaf.key"));
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            certificates.Dispose();
            folder.Dispose();
        };
        return folder.File("appsettings.json");
    }

    // A path, a colon and a sentence that ends.
    [GeneratedRegex(@"\A[^:].*: .+[.?)]\s*\z", RegexOptions.Singleline)]
    private static partial Regex Place();
}
