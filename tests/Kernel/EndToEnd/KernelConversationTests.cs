using System.Net.Sockets;
using Ktls;
using TestKit;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>WebSocket and half-closed connections, protected by the kernel both ways; and clients that do not keep up, or give up.</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class KernelConversationTests(KernelProxies proxies) : ConversationTests(proxies[LayerChoice.Both])
{
    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task ASlowReaderGetsEverything(string http)
    {
        CommandResult result = await Curl.HashAsync(Proxy, $"/pattern?length={Length}", [http, "--limit-rate", "4M"]);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal(PatternBody.Sha256(Length), result.Output);
    }

    [Fact]
    public async Task ClientsThatResetInTheMiddleOfADownloadLeaveNothingBehind()
    {
        for (int run = 0; run < Runs; run++)
        {
            using HttpRecordClient client = await HttpRecordClient.ConnectAsync(Proxy);
            client.Get($"/{KernelProxies.LargeMebibytes << 20}");
            await client.ReceiveAsync(100_000 * (run + 1));
            client.Records.Socket.LingerState = new LingerOption(true, 0);
        }

        await TlsStatistics.UntilIdleAsync();
        using HttpClient next = Proxy.CreateClient();
        Assert.Equal("hello", await next.GetStringAsync("/hello"));
    }

    private const int Runs = 10;
    private const long Length = 8 << 20;
}

/// <summary>gRPC, protected by the kernel both ways.</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class KernelGrpcTests(KernelGrpcTests.Fixture fixture) : GrpcCallTests(fixture), IClassFixture<KernelGrpcTests.Fixture>
{
    public sealed class Fixture : GrpcFixture
    {
        protected override KernelPolicy Kernel => LayerChoice.Both.Policy();
    }
}

/// <summary>SIGTERM while the kernel holds the keys of what is under way.</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class KernelDrainTests : DrainTests
{
    protected override KernelPolicy Kernel => LayerChoice.Both.Policy();
}
