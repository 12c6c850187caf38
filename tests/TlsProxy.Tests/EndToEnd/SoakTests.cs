using System.Net;
using System.Security.Cryptography;
using TestKit;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>Do 200 busy connections stay without a single error?</summary>
[Collection(AloneDefinition.Name)]
public sealed class SoakTests(OriginFixture origins)
    : EndToEndTest(origins.Proxy), IClassFixture<OriginFixture>
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task TwoHundredConnectionsAtOnceSeeNoError(int httpVersion)
    {
        string expected = PatternBody.Sha256(Length);
        using CancellationTokenSource end = new();
        Task<int>[] connections =
            [.. Enumerable.Range(0, Connections).Select(_ => FetchUntilAsync(end.Token))];
        end.CancelAfter(TestScale.Soak + TimeSpan.FromSeconds(1));
        int[] fetched = await Task.WhenAll(connections).WaitAsync(TestScale.Soak + Timeouts.Program);

        Assert.All(fetched, count => Assert.True(count > 0, "A connection was never served."));

        async Task<int> FetchUntilAsync(CancellationToken ending)
        {
            // A client of its own is a connection of its own.
            using HttpClient client = Proxy.CreateClient(
                httpVersion == 1 ? HttpVersion.Version11 : HttpVersion.Version20, Timeouts.Program);
            int count = 0;
            do
            {
                byte[] body = await client.GetByteArrayAsync($"/{Length}", CancellationToken.None);
                Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData(body)));
                count++;
            }
            while (!ending.IsCancellationRequested);
            return count;
        }
    }

    private const int Connections = 200;
    private const int Length = 16385;
}
