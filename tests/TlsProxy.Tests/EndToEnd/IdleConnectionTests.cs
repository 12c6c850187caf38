using System.Net.Security;
using System.Text;
using TestKit;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>What does a connection cost that only waits? tests/idle asks at full scale.</summary>
[Collection(AloneDefinition.Name)]
public sealed class IdleConnectionTests(OriginFixture origins)
    : EndToEndTest(origins.Proxy), IClassFixture<OriginFixture>
{
    [Fact]
    public async Task AnIdleConnectionCostsAtMostTwelveKibibytes()
    {
        // The garbage of handshakes stretches the heap once, up to its collector's budget. Connections that
        // come and go, few at a time, do that before the first measurement and leave no room behind in which
        // the idle ones could hide.
        await ClientCrowd.PassThroughAsync(Few + Many, ConnectAsync);
        await using ClientCrowd crowd = new();
        await crowd.GrowAsync(Few, ConnectAsync);
        long few = await SettledSizeAsync();
        await crowd.GrowAsync(Many - Few, ConnectAsync);
        long many = await SettledSizeAsync();
        long growth = many - few;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{few >> 10} KiB at {Few}, {many >> 10} KiB at {Many}: {growth / (Many - Few)} bytes each.");

        Assert.InRange(growth, long.MinValue, BytesPerConnectionMax * (Many - Few) + CollectorSlack);
        await crowd.ForEachAsync(ExchangeAsync);
    }

    // A request first: a connection that has worked must give back what it worked with.
    private async Task<SslStream> ConnectAsync()
    {
        SslStream tls = await Proxy.ConnectAsync();
        await ExchangeAsync(tls);
        return tls;
    }

    private static async Task ExchangeAsync(SslStream tls)
    {
        using CancellationTokenSource patience = new(Timeouts.Program);
        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), patience.Token);
        byte[] buffer = new byte[4096];
        StringBuilder response = new();
        while (!response.ToString().EndsWith("hello\n", StringComparison.Ordinal))
        {
            int count = await tls.ReadAsync(buffer, patience.Token);
            Assert.NotEqual(0, count);
            response.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        Assert.StartsWith("HTTP/1.1 200 OK", response.ToString(), StringComparison.Ordinal);
    }

    private async Task<long> SettledSizeAsync()
    {
        // The smallest of a few looks: buffers go back and collections run a little after the last response.
        long smallest = long.MaxValue;
        for (int look = 0; look < 6; look++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500));
            smallest = Math.Min(smallest, await Proxy.ReadMemorySizeAsync());
        }

        return smallest;
    }

    private static int Few => TestScale.Choose(200, 1_000);

    private static int Many => TestScale.Choose(2_000, 10_000);

    private const int BytesPerConnectionMax = 12 * 1024;

    // Garbage that the collector has not fetched yet comes and goes by some MiB, however many connections
    // there are. At the usual scale that is allowed for, and a kept record buffer per connection still shows;
    // at full scale nothing is.
    private static int CollectorSlack => TestScale.Choose(16 << 20, 0);
}
