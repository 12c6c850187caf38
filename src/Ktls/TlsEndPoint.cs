using System.Net;

namespace Ktls;

/// <summary>An address to listen on together with how: what Kestrel hands back to the transport.</summary>
public sealed class TlsEndPoint(IPEndPoint address, TlsListenerOptions options) : IPEndPoint(address.Address, address.Port)
{
    /// <summary>How to listen here.</summary>
    public TlsListenerOptions Options { get; } = options;
}
