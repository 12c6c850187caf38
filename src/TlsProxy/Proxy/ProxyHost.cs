using Ktls;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using TlsProxy.Config;
using Yarp.ReverseProxy.Forwarder;

namespace TlsProxy.Proxy;

/// <summary>
/// Puts the parts together: our transport below, Kestrel's HTTP in the middle, YARP or the demo origin above.
/// </summary>
internal static class ProxyHost
{
    /// <summary>From SIGTERM until requests in flight are cut off.</summary>
    public static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(30);

    public static WebApplication Build(ProxySettings settings)
    {
        // The empty builder reads no file and no variable of its own: what was checked is all there is.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = "TlsProxy",
            ContentRootPath = settings.Folder,
        });
        ProxyLogging.Add(builder.Logging, settings.Logging);
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<KestrelServerOptions>(options => ConfigureKestrel(options, settings));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = DrainTimeout);
        builder.Services.AddRouting();
        builder.Services.AddTlsTransport(settings.Pages);
        if (settings.HasRoutes)
        {
            // YARP's setting Timeout works through this middleware of the framework.
            builder.Services.AddRequestTimeouts();
            builder.Services.AddReverseProxy().LoadFromConfig(settings.ReverseProxy);
            builder.Services.AddSingleton<IForwarderHttpClientFactory, LoopHttpClientFactory>();
        }

        WebApplication app = builder.Build();
        Map(app, settings.HasRoutes);
        return app;
    }

    /// <summary>What answers requests: YARP, or the demo origin when there is no route.</summary>
    public static void Map(WebApplication app, bool hasRoutes)
    {
        if (hasRoutes)
        {
            app.Use(RequestFraming.RefuseUnclearAsync);
            app.Use(ClaimedIdentity.RemoveAsync);
            app.UseRouting();
            app.UseRequestTimeouts();
            app.MapReverseProxy();
        }
        else
        {
            app.MapFallback(DemoOrigin.AnswerAsync);
        }
    }

    private static void ConfigureKestrel(KestrelServerOptions options, ProxySettings settings)
    {
        options.AddServerHeader = false;

        // A proxy forwards bodies and does not hold them: their size is the backend's business.
        options.Limits.MaxRequestBodySize = null;

        // A gRPC or WebSocket client may be silent for long between messages. Clients that are slow to read
        // are still cut off (MinResponseDataRate), as are slow headers (RequestHeadersTimeout).
        options.Limits.MinRequestBodyDataRate = null;

        foreach (ListenerSettings listener in settings.Listeners)
        {
            options.Listen(listener.EndPoint);
        }
    }
}
