using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace TestKit.Origins;

/// <summary>
/// An origin inside the test's own process: HTTP/1.1, or HTTP/2 without TLS. It sends patterns and receives
/// uploads.
/// </summary>
public sealed class KestrelOrigin : IAsyncDisposable
{
    private readonly WebApplication _application;

    private KestrelOrigin(WebApplication application, UploadLedger uploads)
    {
        _application = application;
        Uploads = uploads;
    }

    public UploadLedger Uploads { get; }

    public Uri Address => new(_application.Urls.Single());

    /// <summary>Starts on a port of the system's choice.</summary>
    /// <param name="protocols">Http1 or Http2; without TLS there is no choosing both.</param>
    /// <param name="build">Further services.</param>
    /// <param name="map">Further endpoints.</param>
    public static async Task<KestrelOrigin> StartAsync(
        HttpProtocols protocols = HttpProtocols.Http1,
        Action<WebApplicationBuilder>? build = null,
        Action<WebApplication>? map = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols);
        });
        build?.Invoke(builder);
        WebApplication application = builder.Build();
        UploadLedger uploads = new();
        application.UseWebSockets();
        application.MapGet("/hello", () => "hello");
        application.MapGet("/headers", SendHeadersAsync);
        application.MapGet("/pattern", SendPatternAsync);
        application.MapGet("/slow", SendSlowlyAsync);
        application.MapGet("/never", WaitForeverAsync);
        application.Map("/websocket", EchoWebSocketAsync);
        application.MapMethods("/sink", ["POST", "PUT"], async (HttpRequest request) =>
        {
            Upload upload = await uploads.ReceiveAsync(request);
            return $"{upload.Length} {upload.Sha256}";
        });
        map?.Invoke(application);
        await application.StartAsync();
        return new KestrelOrigin(application, uploads);
    }

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource impatience = new(TimeSpan.FromSeconds(2));
        try
        {
            await _application.StopAsync(impatience.Token);
        }
        catch (OperationCanceledException)
        {
            // A request that never ends (/never) is cut here.
        }

        await _application.DisposeAsync();
    }

    private static string SendHeadersAsync(HttpRequest request) => string.Concat(
        request.Headers.SelectMany(header => header.Value.Select(value => $"{header.Key}: {value}\n")));

    private static Task WaitForeverAsync(HttpContext context) =>
        Task.Delay(Timeout.Infinite, context.RequestAborted);

    // ?length=N&chunked=true
    private static async Task SendPatternAsync(HttpContext context)
    {
        long length = long.Parse(context.Request.Query["length"].ToString(), CultureInfo.InvariantCulture);
        context.Response.ContentType = "application/octet-stream";
        if (context.Request.Query["chunked"] != "true")
        {
            context.Response.ContentLength = length;
        }

        await PatternBody.WriteToAsync(context.Response.Body, length, context.RequestAborted);
    }

    // ?milliseconds=N: one line at once, another that much later.
    private static async Task SendSlowlyAsync(HttpContext context)
    {
        string milliseconds = context.Request.Query["milliseconds"].ToString();
        await context.Response.WriteAsync("begin\n");
        await context.Response.Body.FlushAsync();
        await Task.Delay(int.Parse(milliseconds, CultureInfo.InvariantCulture), context.RequestAborted);
        await context.Response.WriteAsync("end\n");
    }

    private static async Task EchoWebSocketAsync(HttpContext context)
    {
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            WebSocketReceiveResult received = await socket.ReceiveAsync(buffer, context.RequestAborted);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
                return;
            }

            ReadOnlyMemory<byte> message = buffer.AsMemory(0, received.Count);
            await socket.SendAsync(
                message, received.MessageType, received.EndOfMessage, context.RequestAborted);
        }
    }
}
