using System.Text.Json;
using System.Text.Json.Nodes;
using Ktls;
using TestKit.Certificates;

namespace TestKit.Processes;

/// <summary>
/// The configuration file of one proxy under test: one listener unless more are named, one cluster behind each path prefix.
/// </summary>
public sealed record ProxySettings
{
    /// <summary>Which leaves the listener has. Defaults to both kinds.</summary>
    public bool Ecdsa { get; init; } = true;

    public bool Rsa { get; init; } = true;

    /// <summary>The origin behind each path prefix; "" is everything.</summary>
    public required IReadOnlyDictionary<string, Uri> Origins { get; init; }

    /// <summary>How HTTP/2 origins are spoken to: exactly HTTP/2 without TLS. Defaults to HTTP/1.1.</summary>
    public bool Http2Origin { get; init; }

    /// <summary>YARP's patience with a silent origin. Defaults to YARP's own 100 s.</summary>
    public TimeSpan? OriginPatience { get; init; }

    /// <summary>Pages.MaxMegabytes; null leaves the product's default.</summary>
    public int? PagesMaxMegabytes { get; init; }

    /// <summary>Pages.FlipThreshold; null leaves the product's default.</summary>
    public int? PagesFlipThreshold { get; init; }

    /// <summary>The listeners' MaxHandshakes; null leaves the product's default.</summary>
    public int? HandshakesMax { get; init; }

    /// <summary>Whether <see cref="ProxyProcess.LookAsync"/> shall work.</summary>
    public bool Metered { get; init; }

    /// <summary>RLIMIT_NOFILE of the process; null inherits that of the test.</summary>
    public int? DescriptorsMax { get; init; }

    /// <summary>What the garbage collector may have at most; null is as much as there is.</summary>
    public long? HeapBytesMax { get; init; }

    /// <summary>The listener's Kernel section; null leaves the product's default.</summary>
    public KernelPolicy? Kernel { get; init; }

    /// <summary>Everything is logged, of Kestrel and YARP too.</summary>
    public bool LogsEverything { get; init; }

    /// <summary>Variables of the proxy's process beside those it inherits.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Listeners beside the first, by name, each with its own Kernel section.</summary>
    public IReadOnlyDictionary<string, KernelPolicy> FurtherListeners { get; init; } = new Dictionary<string, KernelPolicy>();

    /// <summary>The file's text.</summary>
    public string ToJson(int port, TestCertificates certificates) => ToJson(port, certificates, new Dictionary<string, int>());

    /// <summary>The file's text.</summary>
    /// <param name="port">Of the first listener.</param>
    /// <param name="certificates">What all listeners show.</param>
    /// <param name="furtherPorts">Of <see cref="FurtherListeners"/>.</param>
    public string ToJson(int port, TestCertificates certificates, IReadOnlyDictionary<string, int> furtherPorts)
    {
        JsonObject listeners = new() { ["https"] = Listener(port, certificates, Kernel) };
        foreach ((string name, KernelPolicy kernel) in FurtherListeners)
        {
            listeners[name] = Listener(furtherPorts[name], certificates, kernel);
        }

        JsonObject proxy = new() { ["Listeners"] = listeners };
        if (PageOptions() is { Count: > 0 } pages)
        {
            proxy["Pages"] = pages;
        }

        JsonObject root = new()
        {
            ["Logging"] = new JsonObject { ["LogLevel"] = LogLevels() },
            ["TlsProxy"] = proxy,
            ["ReverseProxy"] = new JsonObject { ["Routes"] = RouteTable(), ["Clusters"] = ClusterTable() },
        };
        return root.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    private JsonObject PageOptions()
    {
        JsonObject pages = [];
        if (PagesMaxMegabytes is { } megabytes)
        {
            pages["MaxMegabytes"] = megabytes;
        }

        if (PagesFlipThreshold is { } threshold)
        {
            pages["FlipThreshold"] = threshold;
        }

        return pages;
    }

    private JsonObject LogLevels() => LogsEverything
        ? new JsonObject { ["Default"] = "Trace", ["Microsoft"] = "Trace", ["Yarp"] = "Trace" }
        : new JsonObject { ["Default"] = "Information" };

    private JsonObject Listener(int port, TestCertificates certificates, KernelPolicy? kernel)
    {
        JsonObject listener = new()
        {
            ["Address"] = $"127.0.0.1:{port}",
            ["Certificates"] = CertificateList(certificates),
        };
        if (HandshakesMax is { } handshakes)
        {
            listener["MaxHandshakes"] = handshakes;
        }

        if (kernel is not null)
        {
            listener[nameof(Kernel)] = new JsonObject
            {
                ["Transmit"] = kernel.Transmit.ToString(),
                ["Receive"] = kernel.Receive.ToString(),
                ["Accept"] = new JsonArray([.. kernel.Accept.Select(release => JsonValue.Create(release))]),
            };
        }

        return listener;
    }

    private JsonArray CertificateList(TestCertificates certificates)
    {
        JsonArray list = [];
        if (Ecdsa)
        {
            list.Add(Pair(certificates.EcdsaFile, certificates.EcdsaKeyFile));
        }

        if (Rsa)
        {
            list.Add(Pair(certificates.RsaFile, certificates.RsaKeyFile));
        }

        return list;
    }

    private static JsonObject Pair(string certificate, string key) =>
        new JsonObject { ["Certificate"] = certificate, ["Key"] = key };

    private JsonObject RouteTable() => new(Origins.Select(route => KeyValuePair.Create<string, JsonNode?>(
        RouteId(route.Key),
        new JsonObject
        {
            ["ClusterId"] = RouteId(route.Key),
            ["Match"] = new JsonObject { ["Path"] = route.Key + "/{**rest}" },
        })));

    private JsonObject ClusterTable() => new(Origins.Select(route => KeyValuePair.Create<string, JsonNode?>(
        RouteId(route.Key),
        new JsonObject
        {
            ["Destinations"] = new JsonObject
            {
                ["origin"] = new JsonObject { ["Address"] = route.Value.AbsoluteUri },
            },
            ["HttpRequest"] = RequestOptions(),
        })));

    private JsonObject RequestOptions()
    {
        JsonObject options = new()
        {
            ["Version"] = Http2Origin ? "2" : "1.1",
            ["VersionPolicy"] = "RequestVersionExact",
        };
        if (OriginPatience is { } timeout)
        {
            options["ActivityTimeout"] = timeout.ToString("c");
        }

        return options;
    }

    private static string RouteId(string prefix) => prefix.Length == 0 ? "all" : prefix.TrimStart('/');
}
