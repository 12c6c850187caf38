using System.Net;
using System.Net.Sockets;
using System.Text;
using Aead.Pages;
using Ktls;
using Ktls.Backends;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using TestKit;
using TlsProxy.Proxy;
using Xunit;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace TlsProxy.Tests.Proxy;

public sealed class LoopHttpClientFactoryTests : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly LoopHttpClientFactory _factory;
    private readonly TcpListener _origin = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;
    private int _open;
    private int _connections;
    private int _openMax;

    public LoopHttpClientFactoryTests()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddTlsTransport(new PagePolicy { BytesMax = 8 << 20 });
        _app = builder.Build();
        _factory = new LoopHttpClientFactory(
            NullLogger<ForwarderHttpClientFactory>.Instance, _app.Services.GetRequiredService<BackendConnector>());
        _origin.Start();
        _serving = ServeAsync();
    }

    [Fact]
    public async Task A_limit_of_connections_is_one_for_all_loops()
    {
        using HttpMessageInvoker client = Create(new HttpClientConfig { MaxConnectionsPerServer = 2 });
        await SendAsync(client, count: 40);
        Assert.Equal(2, _openMax);
        Assert.Equal(2, _connections);
    }

    [Fact]
    public async Task Without_a_limit_connections_are_made_as_needed_and_used_again()
    {
        using HttpMessageInvoker client = Create(HttpClientConfig.Empty);
        await SendAsync(client, count: 20);
        int needed = _connections;
        Assert.InRange(needed, 3, 20 * BackendConnector.LoopCount);
        for (int round = 0; round < 10; round++)
        {
            await SendAsync(client, count: 1);
        }

        Assert.InRange(_connections, needed, needed + BackendConnector.LoopCount);
    }

    [Fact]
    public async Task A_backend_that_is_down_fails_as_with_the_runtimes_own_sockets()
    {
        using HttpMessageInvoker client = Create(HttpClientConfig.Empty);
        _origin.Stop();
        HttpRequestException refused = await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(client, count: 1));
        Assert.Equal(HttpRequestError.ConnectionError, refused.HttpRequestError);
        Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(refused.InnerException).SocketErrorCode);
    }

    [Fact]
    public async Task Requests_that_go_through_a_web_proxy_go_the_ordinary_way()
    {
        using HttpMessageInvoker client = Create(new HttpClientConfig { WebProxy = new WebProxyConfig { Address = Address } });
        using HttpResponseMessage answer = await client.SendAsync(
            new HttpRequestMessage(HttpMethod.Get, "http://elsewhere.invalid/"), CancellationToken.None);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public void Every_setting_of_yarps_handler_is_taken_over()
    {
        using Watched factory = new(_app.Services.GetRequiredService<BackendConnector>());
        HttpClientConfig config = new() { MaxConnectionsPerServer = 7, RequestHeaderEncoding = "utf-8", ResponseHeaderEncoding = "latin1" };
        using HttpMessageInvoker client = factory.CreateClient(new ForwarderHttpClientContext { NewConfig = config, NewMetadata = null });
        SocketsHttpHandler copy = LoopHttpClientFactory.CopyOf(factory.Configured!);
        Assert.Equal(7, copy.MaxConnectionsPerServer);
        Assert.False(copy.UseProxy);
        Assert.False(copy.UseCookies);
        Assert.False(copy.AllowAutoRedirect);
        Assert.Equal(DecompressionMethods.None, copy.AutomaticDecompression);
        Assert.Equal(TimeSpan.FromSeconds(15), copy.ConnectTimeout);
        Assert.Same(factory.Configured!.ActivityHeadersPropagator, copy.ActivityHeadersPropagator);
        Assert.Equal(Encoding.UTF8, copy.RequestHeaderEncodingSelector!("X", null!));
        Assert.Equal(Encoding.Latin1, copy.ResponseHeaderEncodingSelector!("X", null!));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _origin.Dispose();
        await _serving;
        await _app.DisposeAsync();
        _stop.Dispose();
    }

    private Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_origin.LocalEndpoint).Port}/");

    private HttpMessageInvoker Create(HttpClientConfig config) =>
        _factory.CreateClient(new ForwarderHttpClientContext { NewConfig = config, NewMetadata = null });

    private Task SendAsync(HttpMessageInvoker client, int count) => Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(async () =>
    {
        using HttpResponseMessage answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, Address), CancellationToken.None)
            .WaitAsync(Timeouts.Exchange);
        Assert.Equal("hello", await answer.Content.ReadAsStringAsync());
    })));

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                Socket connection = await _origin.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                _ = AnswerAsync(connection);
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(Socket connection)
    {
        int open = Interlocked.Increment(ref _open);
        InterlockedMax(ref _openMax, open);
        using (connection)
        {
            byte[] buffer = new byte[4096];
            while (await connection.ReceiveAsync(buffer) > 0)
            {
                await Task.Delay(10);
                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray());
            }
        }

        Interlocked.Decrement(ref _open);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = Volatile.Read(ref most); value > seen;)
        {
            seen = Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    /// <summary>Shows the handler as YARP configured it.</summary>
    private sealed class Watched(BackendConnector connector)
        : LoopHttpClientFactory(NullLogger<ForwarderHttpClientFactory>.Instance, connector), IDisposable
    {
        public SocketsHttpHandler? Configured { get; private set; }

        public void Dispose() => Configured?.Dispose();

        protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler)
        {
            Configured = (SocketsHttpHandler)handler;
            return base.WrapHandler(context, handler);
        }
    }
}
