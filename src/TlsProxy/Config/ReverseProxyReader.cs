using Yarp.ReverseProxy.Configuration;

namespace TlsProxy.Config;

/// <summary>
/// Checks the section "ReverseProxy": its keys and values against YARP's own types, then the references
/// between routes and clusters, then YARP's own rules. YARP itself ignores unknown keys and reports one fault
/// at a time, at start.
/// </summary>
internal static class ReverseProxyReader
{
    /// <returns>True when there is at least one route.</returns>
    public static async Task<bool> ReadAsync(IConfigurationSection section, ConfigReport report)
    {
        var findings = new ConfigReport();
        ReverseProxyOptions options = Binder(findings).Bind<ReverseProxyOptions>(section);
        CheckRoutes(options, findings);
        CheckClusters(options, findings);

        // YARP's parser throws at the first value it cannot read, so it only sees what has passed so far.
        if (findings.IsValid)
        {
            await CheckByYarpAsync(section, findings);
        }

        report.Errors.AddRange(findings.Errors);
        report.Warnings.AddRange(findings.Warnings);
        return options.Routes.Count > 0;
    }

    // Ids are the names of the entries; YARP does not read them from inside.
    private static StrictBinder Binder(ConfigReport report) => new(
        report,
        typeof(RouteConfig).GetProperty(nameof(RouteConfig.RouteId))!,
        typeof(ClusterConfig).GetProperty(nameof(ClusterConfig.ClusterId))!);

    private static void CheckRoutes(ReverseProxyOptions options, ConfigReport report)
    {
        foreach ((string id, RouteConfig route) in options.Routes)
        {
            string path = $"ReverseProxy:Routes:{id}";
            if (string.IsNullOrEmpty(route.ClusterId))
            {
                report.Error($"{path}:ClusterId", "is missing; name the cluster to forward to.");
            }
            else if (!options.Clusters.ContainsKey(route.ClusterId))
            {
                string hint = options.Clusters.Count == 0
                    ? "add it under ReverseProxy:Clusters."
                    : NearestName.Suggest(route.ClusterId, options.Clusters.Keys);
                report.Error($"{path}:ClusterId", $"there is no cluster '{route.ClusterId}'; {hint}");
            }

            if (route.Match is null || (string.IsNullOrEmpty(route.Match.Path) && route.Match.Hosts is not { Count: > 0 }))
            {
                report.Error($"{path}:Match", "needs a Path or Hosts; write { \"Path\": \"{**any}\" } for everything.");
            }

            RefusePolicy(route.AuthorizationPolicy, "anonymous", $"{path}:AuthorizationPolicy", report);
            RefusePolicy(route.CorsPolicy, "disable", $"{path}:CorsPolicy", report);
            RefusePolicy(route.RateLimiterPolicy, "disable", $"{path}:RateLimiterPolicy", report);
            RefusePolicy(route.OutputCachePolicy, null, $"{path}:OutputCachePolicy", report);
            RefusePolicy(route.TimeoutPolicy, "disable", $"{path}:TimeoutPolicy", report);
        }
    }

    // Policies are defined in code in the framework, and this program defines none.
    private static void RefusePolicy(string? policy, string? off, string path, ConfigReport report)
    {
        if (!string.IsNullOrEmpty(policy) && !policy.Equals(off, StringComparison.OrdinalIgnoreCase))
        {
            report.Error(path, $"there is no policy '{policy}': this program defines none; remove it.");
        }
    }

    private static void CheckClusters(ReverseProxyOptions options, ConfigReport report)
    {
        foreach ((string id, ClusterConfig cluster) in options.Clusters)
        {
            string path = $"ReverseProxy:Clusters:{id}:Destinations";
            if (cluster.Destinations is not { Count: > 0 })
            {
                report.Error(path, "is empty; add one, for example \"a\": { \"Address\": \"http://127.0.0.1:9000/\" }.");
                continue;
            }

            foreach ((string name, DestinationConfig destination) in cluster.Destinations)
            {
                CheckUrl(destination.Address, required: true, $"{path}:{name}:Address", report);
                CheckUrl(destination.Health, required: false, $"{path}:{name}:Health", report);
            }
        }
    }

    private static void CheckUrl(string? text, bool required, string path, ConfigReport report)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            if (required)
            {
                report.Error(path, "is missing; write a URL such as http://127.0.0.1:9000/.");
            }
        }
        else if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            report.Error(path, $"'{text}' is not an http:// or https:// URL; write one such as http://127.0.0.1:9000/.");
        }
    }

    private static async Task CheckByYarpAsync(IConfigurationSection section, ConfigReport report)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddRouting();
        services.AddReverseProxy().LoadFromConfig(section);
        await using ServiceProvider provider = services.BuildServiceProvider();
        IConfigValidator validator = provider.GetRequiredService<IConfigValidator>();

        IProxyConfig config;
        try
        {
            config = provider.GetRequiredService<IProxyConfigProvider>().GetConfig();
        }
        catch (Exception e)
        {
            // YARP's parser throws many types; each means that it will not take this section.
            report.Error("ReverseProxy", $"YARP cannot read it: {e.Message} See its documentation of this setting.");
            return;
        }

        foreach (RouteConfig route in config.Routes)
        {
            Add($"ReverseProxy:Routes:{route.RouteId}", await validator.ValidateRouteAsync(route));
        }

        foreach (ClusterConfig cluster in config.Clusters)
        {
            Add($"ReverseProxy:Clusters:{cluster.ClusterId}", await validator.ValidateClusterAsync(cluster));
        }

        void Add(string path, IList<Exception> faults)
        {
            foreach (Exception fault in faults)
            {
                report.Error(path, fault.Message);
            }
        }
    }

    // The section's shape: YARP's own types, named as YARP names them.
    private sealed class ReverseProxyOptions
    {
        public Dictionary<string, RouteConfig> Routes { get; set; } = [];

        public Dictionary<string, ClusterConfig> Clusters { get; set; } = [];
    }
}
