using System.Net;
using System.Net.Sockets;
using Ktls;
using TestKit;
using TestKit.Origins;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>Does a program that is asked to stop finish what it has begun?</summary>
public abstract class DrainTests
{
    /// <summary>The proxy's record layers; null leaves them to the product.</summary>
    protected virtual KernelPolicy? Kernel => null;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task TerminateLetsARunningResponseFinishAndRefusesNewConnections(int httpVersion)
    {
        await using KestrelOrigin origin = await KestrelOrigin.StartAsync();
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(new ProxySettings
        {
            Kernel = Kernel,
            Origins = new Dictionary<string, Uri> { [""] = origin.Address },
        });
        using HttpClient client = proxy.CreateClient(
            httpVersion == 1 ? HttpVersion.Version11 : HttpVersion.Version20);
        using HttpResponseMessage response = await client.GetAsync(
            "/slow?milliseconds=2000", HttpCompletionOption.ResponseHeadersRead);
        await proxy.TerminateAsync();
        await WaitUntilRefusedAsync(proxy.Port);
        string body = await response.Content.ReadAsStringAsync().WaitAsync(Timeouts.Exchange);

        Assert.Equal("begin\nend\n", body);
        Assert.Equal(0, await proxy.WaitForExitAsync());
    }

    private static async Task WaitUntilRefusedAsync(int port)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(1.5));
        while (true)
        {
            try
            {
                using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                await Task.Delay(TimeSpan.FromMilliseconds(20), patience.Token);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }
}
