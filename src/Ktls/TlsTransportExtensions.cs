using Aead.Pages;
using Microsoft.Extensions.DependencyInjection;

namespace Ktls;

/// <summary>The public door of the transport.</summary>
public static class TlsTransportExtensions
{
    /// <summary>
    /// Lets Kestrel listen on <see cref="TlsEndPoint"/>s. Also registers the <see cref="PagePool"/>; other endpoints stay with Kestrel's own transport.
    /// </summary>
    public static IServiceCollection AddTlsTransport(this IServiceCollection services, PagePolicy pages) => throw null!;
}
