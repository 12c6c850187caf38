using System.Security.Cryptography;
using TestKit.Origins;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>Can OpenSSL change keys while bodies are under way, in either direction, where the kernel can follow?</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class OpenSslKeyUpdateTests(KernelProxies proxies) : KernelProxyTest(proxies)
{
    [Theory]
    [Trait("Needs", "Rekey")]
    [InlineData(LayerChoice.Both, 'K')]
    [InlineData(LayerChoice.Both, 'k')]
    [InlineData(LayerChoice.TransmitOnly, 'K')]
    [InlineData(LayerChoice.ReceiveOnly, 'K')]
    public async Task DownloadAndUploadPassWhileKeysChange(LayerChoice layers, char command) => await PassWhileKeysChangeAsync(layers, command);

    /// <summary>The proxy itself receives, and is not asked for new keys of its own.</summary>
    [Theory]
    [Trait("Needs", "NoRekey")]
    [InlineData(LayerChoice.TransmitOnly, 'k')]
    [InlineData(LayerChoice.Neither, 'K')]
    public async Task DownloadAndUploadPassWhereTheKernelNeedNotFollow(LayerChoice layers, char command) =>
        await PassWhileKeysChangeAsync(layers, command);

    private async Task PassWhileKeysChangeAsync(LayerChoice layers, char command)
    {
        TlsStatistics before = await Proxies.BeginCountingAsync();
        await using OpenSslSession session = new(Proxy(layers));
        await DownloadAsync(session, command);
        await UploadAsync(session, command);

        // Behind the last key change, so that it too was followed when this is answered.
        await session.SendAsync("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.Contains("hello", await session.ReceiveToAsync(LastChunk), StringComparison.Ordinal);
        TlsStatistics counted = TlsStatistics.Read().Since(before);
        counted.AssertInUse(layers, connections: 1);
        Assert.Equal(layers.Receives() ? 2 * Updates : 0, counted["TlsRxRekeyOk"]);
        Assert.Equal(layers.Receives() ? 2 * Updates : 0, counted["TlsRxRekeyReceived"]);

        // Requests that come close together are answered with one change.
        bool changesOurs = layers.Transmits() && command == 'K';
        Assert.InRange(counted["TlsTxRekeyOk"], changesOurs ? 2 : 0, changesOurs ? 2 * Updates : 0);
    }

    private static async Task DownloadAsync(OpenSslSession session, char command)
    {
        await session.SendAsync($"GET /pattern?length={Length} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK", await session.ReceiveHeadAsync(), StringComparison.Ordinal);
        for (int part = 0; part <= Updates; part++)
        {
            await session.ReceivePatternAsync((long)part * PartLength, PartLength);
            if (part < Updates)
            {
                // Nobody reads what s_client receives meanwhile, so the rest of the body is under way.
                await session.UpdateKeysAsync(command);
            }
        }
    }

    private async Task UploadAsync(OpenSslSession session, char command)
    {
        string id = Guid.NewGuid().ToString();
        await session.SendAsync($"PUT /sink?id={id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {Length}\r\n\r\n");

        // Digits: a letter where s_client begins to read would be a command.
        byte[] body = new byte[Length];
        for (int i = 0; i < body.Length; i++)
        {
            body[i] = (byte)('0' + (((i * 7) ^ (i >> 9)) % 10));
        }

        for (int part = 0; part <= Updates; part++)
        {
            await session.SendAsync(body.AsMemory(part * PartLength, PartLength));
            if (part < Updates)
            {
                await Proxies.Kestrel.Uploads.ReceivedAsync(id, (part + 1) * PartLength);
                await session.UpdateKeysAsync(command);
            }
        }

        string sha256 = Convert.ToHexStringLower(SHA256.HashData(body));
        Upload upload = await Proxies.Kestrel.Uploads.EndAsync(id);
        Assert.Equal(new Upload(UploadOutcome.Complete, Length, sha256, IsPattern: false), upload);
        Assert.StartsWith("HTTP/1.1 200 OK", await session.ReceiveHeadAsync(), StringComparison.Ordinal);
        Assert.Contains($"{Length} {sha256}", await session.ReceiveToAsync(LastChunk), StringComparison.Ordinal);
    }

    private const string LastChunk = "0\r\n\r\n";
    private const int Updates = 5;
    private const int PartLength = 1 << 20;
    private const int Length = (Updates + 1) * PartLength;
}
