using System.Diagnostics;
using System.Net;
using System.Net.Security;
using TestKit;
using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>Can clients that hold on to pages keep a new client waiting?</summary>
[Collection(AloneDefinition.Name)]
[Trait("Claim", "C4")]
[Trait("Claim", "C9")]
public sealed class ExhaustionTests(ExhaustionTests.Fixture fixture)
    : EndToEndTest(fixture.Proxy), IClassFixture<ExhaustionTests.Fixture>
{
    [Fact]
    public async Task HalfSentHeadersDoNotKeepANewClientWaiting()
    {
        await using ClientCrowd crowd = new();
        await crowd.GrowAsync(TestScale.Choose(600, 5_000), async () =>
        {
            SslStream tls = await Proxy.ConnectAsync();
            await tls.WriteAsync("GET /hello HTTP/1.1\r\nHost: localhost\r\nX-Unfinished: "u8.ToArray());
            return tls;
        });
        await AssertNewClientsAreServedAtOnceAsync();
    }

    [Fact]
    public async Task StalledHttp2UploadsDoNotKeepANewClientWaiting()
    {
        using CancellationTokenSource end = new();
        int count = TestScale.Choose(40, 200);
        StalledUpload[] uploads =
            [.. Enumerable.Range(0, count).Select(_ => StalledUpload.Start(Proxy, end.Token))];
        await WaitUntilStalledAsync(uploads);
        await AssertNewClientsAreServedAtOnceAsync();
        await end.CancelAsync();
        await Task.WhenAll(uploads.Select(upload => upload.End)).WaitAsync(Timeouts.Program);
        await AssertNewClientsAreServedAtOnceAsync();
    }

    private async Task AssertNewClientsAreServedAtOnceAsync()
    {
        for (int run = 0; run < 5; run++)
        {
            Stopwatch watch = Stopwatch.StartNew();
            using HttpClient client = Proxy.CreateClient();
            Assert.Equal("hello", await client.GetStringAsync("/hello"));
            Assert.InRange(watch.Elapsed, TimeSpan.Zero, Timeouts.AtOnce);
        }
    }

    private static async Task WaitUntilStalledAsync(StalledUpload[] uploads)
    {
        using CancellationTokenSource patience = new(Timeouts.Program);
        long[] before;
        long[] now = [.. uploads.Select(upload => upload.Sent)];
        do
        {
            before = now;
            await Task.Delay(TimeSpan.FromSeconds(1), patience.Token);
            now = [.. uploads.Select(upload => upload.Sent)];
        }
        while (now.Contains(0) || !now.SequenceEqual(before));
    }

    /// <summary>
    /// Few pages, and beside the origin that serves one that accepts uploads and reads nothing.
    /// </summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private readonly RawOrigin _deaf = RawOrigin.NeverReading();
        private KestrelOrigin _kestrel = null!;

        public ProxyProcess Proxy { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _kestrel = await KestrelOrigin.StartAsync();
            Proxy = await ProxyProcess.StartAsync(new ProxySettings
            {
                PagesMaxMegabytes = 16,
                Origins = new Dictionary<string, Uri>
                {
                    ["/hello"] = _kestrel.Address,
                    ["/deaf"] = _deaf.Address,
                },
            });
        }

        public async ValueTask DisposeAsync()
        {
            if (Proxy is not null)
            {
                await Proxy.DisposeAsync();
            }

            await _deaf.DisposeAsync();
            await _kestrel.DisposeAsync();
        }
    }

    /// <summary>An upload without end on a connection of its own.</summary>
    private sealed class StalledUpload : HttpContent
    {
        private long _sent;

        public long Sent => Interlocked.Read(ref _sent);

        public Task End { get; private set; } = Task.CompletedTask;

        public static StalledUpload Start(ProxyProcess proxy, CancellationToken end)
        {
            StalledUpload upload = new();
            upload.End = upload.SendAsync(proxy, end);
            return upload;
        }

        protected override async Task SerializeToStreamAsync(
            Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            byte[] chunk = PatternBody.Take(16 * 1024);
            while (true)
            {
                await stream.WriteAsync(chunk, cancellationToken);
                Interlocked.Add(ref _sent, chunk.Length);
            }
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        private async Task SendAsync(ProxyProcess proxy, CancellationToken end)
        {
            using HttpClient client = proxy.CreateClient(HttpVersion.Version20, Timeouts.Bulk);
            try
            {
                using HttpResponseMessage response = await client.PutAsync("/deaf", this, end);
            }
            catch (Exception e) when (e is OperationCanceledException or HttpRequestException)
            {
                // The test has seen enough, or the proxy shed this upload to keep others served, as it may.
            }
        }
    }
}
