using System.Collections;
using Aead.Pages;
using Ktls;
using Ktls.Handshake;

namespace TlsProxy.Config;

/// <summary>A listener, parsed.</summary>
/// <param name="EndPoint">What Kestrel and the transport listen on.</param>
/// <param name="Identities">For the start-up lines; the policy inside the end point holds them too.</param>
/// <param name="IsDevelopment">True when the certificate was generated.</param>
internal sealed record ListenerSettings(TlsEndPoint EndPoint, IReadOnlyList<ServerIdentity> Identities, bool IsDevelopment);

/// <summary>A whole configuration, parsed and valid.</summary>
/// <param name="Source">The file's name, for messages.</param>
/// <param name="Folder">Where relative paths start.</param>
/// <param name="Listeners">At least one.</param>
/// <param name="Pages">The policy of the page pool.</param>
/// <param name="Logging">Levels by category.</param>
/// <param name="ReverseProxy">YARP's section, checked.</param>
/// <param name="HasRoutes">False: the demo origin answers.</param>
internal sealed record ProxySettings(
    string Source,
    string Folder,
    IReadOnlyList<ListenerSettings> Listeners,
    PagePolicy Pages,
    LoggingOptions Logging,
    IConfigurationSection ReverseProxy,
    bool HasRoutes)
{
    /// <summary>Reads everything and reports everything; null when there is an error.</summary>
    /// <param name="configPath">What --config names, or null.</param>
    /// <param name="mayWrite">False for a check: nothing is written.</param>
    /// <param name="report">Takes errors and warnings.</param>
    public static async Task<ProxySettings?> ReadAsync(string? configPath, bool mayWrite, ConfigReport report)
    {
        IDictionary environment = Environment.GetEnvironmentVariables();
        if (ConfigFile.Read(configPath, Environment.CurrentDirectory, environment, report) is not { } file)
        {
            return null;
        }

        var binder = new StrictBinder(report);
        TlsProxyOptions options = binder.Bind<TlsProxyOptions>(file.Root.GetSection("TlsProxy"));
        LoggingOptions logging = binder.Bind<LoggingOptions>(file.Root.GetSection("Logging"));
        IConfigurationSection reverseProxy = file.Root.GetSection("ReverseProxy");

        UnavailableSettings.Refuse(options, report);
        PagePolicy pages = PagePolicyReader.Read(options.Pages, report);
        bool hasRoutes = await ReverseProxyReader.ReadAsync(reverseProxy, report);

        // Last, because a faulty configuration must not leave a new certificate behind.
        var listenerReader = new ListenerReader(file.Folder, mayWrite && report.IsValid, report);
        List<ListenerSettings> listeners = listenerReader.Read(options.Listeners);
        return report.IsValid
            ? new ProxySettings(file.Name, file.Folder, listeners, pages, logging, reverseProxy, hasRoutes)
            : null;
    }
}
