using System.Net.Sockets;
using Aead.Pages;
using Microsoft.AspNetCore.Connections;
using TlsProxy.Config;

namespace TlsProxy.Proxy;

/// <summary>Why this machine did not let the program start, as a sentence with the remedy.</summary>
internal static class StartFailure
{
    /// <summary>Null when the exception is a fault of this program and no refusal of the machine.</summary>
    public static string? Explain(Exception exception, ProxySettings settings)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case PagePoolException:
                    return e.Message;
                case AddressInUseException:
                    return ExplainSocket(SocketError.AddressAlreadyInUse, exception, settings);
                case SocketException socket:
                    return ExplainSocket(socket.SocketErrorCode, exception, settings);
            }
        }

        return null;
    }

    private static string ExplainSocket(SocketError code, Exception exception, ProxySettings settings)
    {
        // Kestrel names the address in its message and not in a property.
        ListenerSettings? listener =
            settings.Listeners.FirstOrDefault(l => exception.Message.Contains(l.EndPoint.ToString(), StringComparison.Ordinal))
            ?? (settings.Listeners.Count == 1 ? settings.Listeners[0] : null);
        string who = listener is null ? "A listener" : $"Listener '{listener.EndPoint.Options.Name}'";
        int? port = listener?.EndPoint.Port;
        return code switch
        {
            SocketError.AddressAlreadyInUse =>
                $"{who} cannot listen on {listener?.EndPoint}: the address is in use. "
                + $"'ss -ltnp sport = :{port}' shows by whom; stop it, or change Address.",
            SocketError.AccessDenied =>
                $"{who} cannot listen on {listener?.EndPoint}: ports below 1024 need the capability CAP_NET_BIND_SERVICE. "
                + "Grant it (AmbientCapabilities= in a systemd unit), or use a higher port.",
            SocketError.AddressNotAvailable =>
                $"{who} cannot listen on {listener?.EndPoint}: this machine has no such address. 'ip address' lists those it has.",
            _ => $"{who} cannot listen on {listener?.EndPoint}: {exception.Message}",
        };
    }
}
