namespace TlsProxy.Config;

/// <summary>
/// Settings that belong to the contract but whose feature does not exist yet. They are refused by name: a
/// setting that is silently ignored would promise what is not there.
/// </summary>
internal static class UnavailableSettings
{
    public static void Refuse(ListenerOptions listener, string path, ConfigReport report)
    {
        RefuseIf(listener.Mode != ListenerMode.Http, "Mode", "set it to Http or remove it");
        RefuseIf(listener.Cluster is not null, "Cluster", "remove it; routes are under ReverseProxy:Routes");
        RefuseIf(listener.SniClusters.Count > 0, "SniClusters", "remove it; a route can match a host name with Match:Hosts");
        RefuseIf(listener.ClientCertificates.Mode != ClientCertificateMode.None, "ClientCertificates:Mode", "set it to None or remove it");
        RefuseIf(listener.ClientCertificates.TrustedRoots is not null, "ClientCertificates:TrustedRoots", "remove it");
        RefuseIf(
            listener.ClientCertificates.Forward != ClientCertificateForwarding.None,
            "ClientCertificates:Forward",
            "set it to None or remove it");
        RefuseIf(listener.SessionTickets.Enabled, "SessionTickets:Enabled", "set it to false or remove it");
        RefuseIf(listener.ProxyProtocol != ProxyProtocolMode.Off, "ProxyProtocol", "set it to Off or remove it");

        void RefuseIf(bool isSet, string key, string remedy)
        {
            if (isSet)
            {
                report.Error($"{path}:{key}", $"not available yet; {remedy}.");
            }
        }
    }

    public static void Refuse(TlsProxyOptions options, ConfigReport report)
    {
        if (options.Admin is not null)
        {
            report.Error("TlsProxy:Admin", "not available yet; remove it.");
        }
    }
}
