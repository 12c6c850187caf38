using Grpc.Core;
using Grpc.Net.Client;
using Ktls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using TestKit.Origins;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>A gRPC service behind the proxy, and a channel to it.</summary>
public class GrpcFixture : IAsyncLifetime
{
    private KestrelOrigin _origin = null!;
    private GrpcChannel _channel = null!;

    public ProxyProcess Proxy { get; private set; } = null!;

    public CallInvoker Calls => _channel.CreateCallInvoker();

    /// <summary>The proxy's record layers; null leaves them to the product.</summary>
    protected virtual KernelPolicy? Kernel => null;

    public async ValueTask InitializeAsync()
    {
        _origin = await KestrelOrigin.StartAsync(
            HttpProtocols.Http2,
            builder => builder.Services.AddGrpcEcho(),
            application => application.MapGrpcService<GrpcEcho>());
        Proxy = await ProxyProcess.StartAsync(new ProxySettings
        {
            Http2Origin = true,
            Kernel = Kernel,
            Origins = new Dictionary<string, Uri> { [""] = _origin.Address },
        });
        _channel = GrpcChannel.ForAddress(Proxy.Address, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { SslOptions = Proxy.Certificates.ClientOptions() },
            DisposeHttpClient = true,
        });
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        if (Proxy is not null)
        {
            await Proxy.DisposeAsync();
        }

        await _origin.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
