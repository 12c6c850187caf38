using System.Net;
using Ktls.Backends;

namespace TlsProxy.Proxy;

/// <summary>
/// Sends a request over a connection of the loop that serves it. Requests over TLS or HTTP/2 go the ordinary way: their streams would hop
/// between threads all the same.
/// </summary>
/// <param name="ordinary">For everything but HTTP/1.1 in plain text.</param>
/// <param name="loops">One for each loop, or one for all.</param>
internal sealed class LoopHttpHandler(HttpMessageHandler ordinary, HttpMessageHandler[] loops) : HttpMessageHandler
{
    private readonly Door _ordinary = new(ordinary);
    private readonly Door[] _loops = [.. loops.Select(loop => new Door(loop))];

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        DoorFor(request).Pass(request, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ordinary.Dispose();
            Array.ForEach(_loops, loop => loop.Dispose());
        }

        base.Dispose(disposing);
    }

    private Door DoorFor(HttpRequestMessage request) =>
        !IsPlainHttp1(request) ? _ordinary : _loops.Length == 1 ? _loops[0] : _loops[BackendConnector.NearestLoop];

    // Without TLS there is nothing that could agree on more than HTTP/1.1 unless the request insists on it.
    private static bool IsPlainHttp1(HttpRequestMessage request) =>
        request.RequestUri is { } uri && uri.Scheme == Uri.UriSchemeHttp
        && (request.Version < HttpVersion.Version20 || request.VersionPolicy == HttpVersionPolicy.RequestVersionOrLower);

    // A handler's SendAsync can be called by a handler that wraps it, and by nobody else.
    private sealed class Door(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        public Task<HttpResponseMessage> Pass(HttpRequestMessage request, CancellationToken cancellationToken) =>
            SendAsync(request, cancellationToken);
    }
}
