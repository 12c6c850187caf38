using System.Globalization;
using System.Net;

namespace TlsProxy.Config;

/// <summary>ip:port or [ipv6]:port, and nothing that needs a name server.</summary>
internal static class ListenAddress
{
    /// <summary>The address, or null with the reason as the end of a sentence.</summary>
    public static IPEndPoint? Parse(string text, out string reason)
    {
        int colon = text.LastIndexOf(':');
        if (colon < 0 || colon == text.Length - 1)
        {
            reason = $"'{text}' has no port; write ip:port, for example 0.0.0.0:8443 or [::]:8443.";
            return null;
        }

        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            reason = $"'{text[(colon + 1)..]}' is not a port; write a number from 0 to 65535 (0: any free one).";
            return null;
        }

        string host = text[..colon];
        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (!IPAddress.TryParse(bracketed ? host[1..^1] : host, out IPAddress? address)
            || (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6) != bracketed
            || (!bracketed && host.Count(c => c == '.') != 3))
        {
            reason = $"'{host}' is not an IP address; write ip:port or [ipv6]:port, not a host name "
                + "(0.0.0.0 is every IPv4 address, [::] every address, 127.0.0.1 this machine alone).";
            return null;
        }

        reason = "";
        return new IPEndPoint(address, port);
    }
}
