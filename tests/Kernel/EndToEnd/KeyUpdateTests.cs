using Aead.Records;
using TestKit;
using TestKit.Processes;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>
/// What does a client get that changes its keys, record by record? Where the kernel can follow, everything; where it cannot, a clean end; where
/// the client does nothing else, an alert.
/// </summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class KeyUpdateTests(KernelProxies proxies) : KernelProxyTest(proxies)
{
    /// <summary>
    /// The client stops reading, so that everything on the way is full, asks for new keys, and only then reads on. In HTTP/2, where Kestrel
    /// reads while it writes: a request of HTTP/1.1 would be followed when its response has ended.
    /// </summary>
    [Theory]
    [Trait("Needs", "Rekey")]
    [InlineData(LayerChoice.Both, 1)]
    [InlineData(LayerChoice.Both, 5)]
    [InlineData(LayerChoice.TransmitOnly, 5)]
    public async Task OurKeyUpdateComesBeforeTheDataUnderOurNewKeysThoughEverythingIsFull(LayerChoice layers, int requests)
    {
        TlsStatistics before = await Proxies.BeginCountingAsync();
        using HttpRecordClient client = await HttpRecordClient.ConnectAsync(Proxy(layers), http2: true, receiveBuffer: 16 << 10);
        client.Get($"/pattern?length={Length}");
        await client.ReceiveAsync(1);
        await client.UntilFullAsync();
        for (int request = 0; request < requests; request++)
        {
            client.Records.UpdateKeys(requestPeer: true);
        }

        // Data under other keys than announced would not decrypt.
        await client.ReceiveResponseAsync();
        Assert.Equal(Length, client.Http2.Body.Length);
        Assert.True(PatternBody.Matches(client.Http2.Body, 0));
        Assert.InRange(client.KeyUpdates.Count, 1, requests);
        Assert.All(client.KeyUpdates, position => Assert.InRange(position, 1, client.ReceivedLength - 1));
        TlsStatistics counted = TlsStatistics.Read().Since(before);
        Assert.Equal(client.KeyUpdates.Count, counted["TlsTxRekeyOk"]);
        Assert.Equal(layers.Receives() ? requests : 0, counted["TlsRxRekeyOk"]);
        counted.AssertInUse(layers, connections: 1);
    }

    [Theory]
    [Trait("Needs", "Rekey")]
    [InlineData(LayerChoice.Both)]
    [InlineData(LayerChoice.TransmitOnly)]
    [InlineData(LayerChoice.ReceiveOnly)]
    public async Task EveryRequestUnderKeysOfItsOwnIsAnswered(LayerChoice layers)
    {
        TlsStatistics before = await Proxies.BeginCountingAsync();
        using HttpRecordClient client = await HttpRecordClient.ConnectAsync(Proxy(layers));
        for (int request = 1; request <= Requests; request++)
        {
            client.Get("/hello");
            await client.ReceiveToAsync(LastChunk);
            Assert.Equal(request, client.Text.Split("hello").Length - 1);
            client.Records.UpdateKeys(requestPeer: request % 2 == 0);
        }

        client.Get("/hello");
        await client.ReceiveToAsync(LastChunk);
        Assert.Equal(Requests / 2, client.KeyUpdates.Count);
        TlsStatistics counted = TlsStatistics.Read().Since(before);
        counted.AssertInUse(layers, connections: 1);
        Assert.Equal(layers.Receives() ? Requests : 0, counted["TlsRxRekeyOk"]);
        Assert.Equal(layers.Transmits() ? Requests / 2 : 0, counted["TlsTxRekeyOk"]);
    }

    /// <summary>A kernel that receives cannot follow any change; one that only sends, those it is asked for.</summary>
    [Theory]
    [Trait("Needs", "NoRekey")]
    [InlineData(LayerChoice.Both, false)]
    [InlineData(LayerChoice.Both, true)]
    [InlineData(LayerChoice.ReceiveOnly, false)]
    [InlineData(LayerChoice.TransmitOnly, true)]
    public async Task WhatIsUnderWayEndsWholeAndThenTheConnectionInGoodOrder(LayerChoice layers, bool requestPeer)
    {
        ProxyProcess proxy = Proxy(layers);
        int linesBefore = LinesAboutKeys(proxy);
        using HttpRecordClient client = await HttpRecordClient.ConnectAsync(proxy, http2: true, receiveBuffer: 16 << 10);
        client.Get($"/pattern?length={Length}");
        await client.ReceiveAsync(1);
        await client.UntilFullAsync();
        client.Records.UpdateKeys(requestPeer);
        (AlertDescription? alert, bool finished) = await client.ReceiveEndAsync();

        Assert.Equal((AlertDescription.CloseNotify, true), (alert, finished));
        Assert.True(client.Http2.Ended, "The response is not whole.");
        Assert.True(client.Http2.GoAway, "The client was not told that no more requests are taken.");
        Assert.Equal(Length, client.Http2.Body.Length);
        Assert.True(PatternBody.Matches(client.Http2.Body, 0));
        Assert.Equal(linesBefore + 1, LinesAboutKeys(proxy));
    }

    [Theory]
    [Trait("Needs", "NoRekey")]
    [InlineData(LayerChoice.Both)]
    [InlineData(LayerChoice.ReceiveOnly)]
    public async Task AnIdleConnectionWhoseKeysChangeEndsInGoodOrderAtOnce(LayerChoice layers)
    {
        using HttpRecordClient client = await HttpRecordClient.ConnectAsync(Proxy(layers));
        client.Get("/hello");
        await client.ReceiveToAsync(LastChunk);
        client.Records.UpdateKeys(requestPeer: false);

        Assert.Equal((AlertDescription.CloseNotify, true), await client.ReceiveEndAsync());
    }

    [Theory]
    [Trait("Needs", "Rekey")]
    [InlineData(LayerChoice.Both)]
    [InlineData(LayerChoice.ReceiveOnly)]
    [Trait("Claim", "C4")]
    public async Task AFloodOfKeyUpdatesIsCutOff(LayerChoice layers) => await AssertFloodIsCutOffAsync(layers, requestPeer: true);

    /// <summary>The proxy itself receives, so every kernel does.</summary>
    [Theory]
    [InlineData(LayerChoice.TransmitOnly)]
    [InlineData(LayerChoice.Neither)]
    public async Task AFloodOfKeyUpdatesIsCutOffWhereTheProxyReceives(LayerChoice layers) =>
        await AssertFloodIsCutOffAsync(layers, requestPeer: false);

    private async Task AssertFloodIsCutOffAsync(LayerChoice layers, bool requestPeer)
    {
        using HttpRecordClient client = await HttpRecordClient.ConnectAsync(Proxy(layers));
        client.Get("/hello");
        await client.ReceiveToAsync(LastChunk);
        for (int update = 0; update < Tolerated; update++)
        {
            client.Records.UpdateKeys(requestPeer);
        }

        // So many are nothing to complain of.
        client.Get("/hello");
        await client.ReceiveToAsync(LastChunk);
        for (int update = 0; update < Tolerated; update++)
        {
            client.Records.UpdateKeys(requestPeer);
        }

        Assert.Equal((AlertDescription.UnexpectedMessage, true), await client.ReceiveEndAsync());
        using HttpClient next = Proxy(layers).CreateClient();
        Assert.Equal("hello", await next.GetStringAsync("/hello"));
    }

    private static int LinesAboutKeys(ProxyProcess proxy) =>
        proxy.Output.Split("it needs new keys, which this kernel does not take").Length - 1;

    private const string LastChunk = "0\r\n\r\n";
    private const int Length = 8 << 20;
    private const int Requests = 10;

    // Control records a client may send at once (PostHandshake.ControlRecordsBurst), less one: time passes meanwhile.
    private const int Tolerated = 31;
}
