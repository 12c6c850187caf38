using System.Globalization;
using System.Net;
using System.Security.Authentication;
using TestKit;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.Soak;

/// <summary>What a client of the soak has: the proxy, its own dice, and exchanges whose every body byte is compared.</summary>
internal sealed record SoakSession(SoakFixture Origins, SoakLedger Ledger, Random Random, CancellationToken End)
{
    public ProxyProcess Proxy => Origins.Proxy;

    /// <summary>In this round the client has done, or met, what disturbs.</summary>
    public bool IsDisturbed { get; set; }

    public SslProtocols AnyVersion => Random.Next(2) == 0 ? SslProtocols.Tls12 : SslProtocols.Tls13;

    /// <summary>HTTP/1.1 or HTTP/2, in TLS 1.2 or 1.3.</summary>
    public HttpClient AnyClient() =>
        Proxy.CreateClient(Random.Next(2) == 0 ? HttpVersion.Version11 : HttpVersion.Version20, Timeouts.Program, AnyVersion);

    /// <summary>Nothing, a few bytes, around a record, or up to 4 MiB: each order of magnitude as often as the others.</summary>
    public long AnyLength()
    {
        int bits = Random.Next(-1, LengthBitsMax);
        return bits < 0 ? 0 : (1L << bits) + Random.Next(-1, 2) + (bits < 12 ? 0 : Random.NextInt64(1L << bits));
    }

    public async Task GetHelloAsync(HttpClient client) =>
        Assert.Equal("hello", await client.GetStringAsync("/hello", CancellationToken.None));

    /// <param name="client">Whose connection is used.</param>
    /// <param name="length">Of the body.</param>
    /// <param name="isPatient">Whether it takes its time between reads.</param>
    public async Task DownloadAsync(HttpClient client, long length, bool isPatient = false)
    {
        string chunked = Random.Next(2) == 0 ? "true" : "false";
        using HttpResponseMessage response = await client.GetAsync(
            $"/pattern?length={length}&chunked={chunked}", HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(length, await CompareAsync(await response.Content.ReadAsStreamAsync(CancellationToken.None), isPatient));
    }

    public async Task UploadAsync(HttpClient client, long length)
    {
        using PatternContent content = new(length, isChunked: Random.Next(2) == 0);
        using HttpResponseMessage response = await client.PutAsync("/sink", content, CancellationToken.None);
        string answer = await response.Content.ReadAsStringAsync(CancellationToken.None);
        Assert.Equal($"{length.ToString(CultureInfo.InvariantCulture)} {content.Sha256}", answer);
        Ledger.Uploaded();
        Ledger.Compared(length);
    }

    /// <summary>Reads to the end, comparing; returns the length.</summary>
    public async Task<long> CompareAsync(Stream body, bool isPatient = false)
    {
        byte[] buffer = new byte[isPatient ? 4 * 1024 : 64 * 1024];
        long length = 0;
        int count;
        while ((count = await body.ReadAsync(buffer, CancellationToken.None).AsTask().WaitAsync(Timeouts.Program)) > 0)
        {
            Assert.True(PatternBody.Matches(buffer.AsSpan(0, count), length), $"A wrong byte in {count} from {length} on.");
            length += count;
            Ledger.Compared(count);
            if (isPatient)
            {
                await PauseAsync(10);
            }
        }

        return length;
    }

    /// <summary>A pause that the end of the soak cuts short.</summary>
    public async Task PauseAsync(int milliseconds)
    {
        try
        {
            await Task.Delay(milliseconds, End);
        }
        catch (OperationCanceledException)
        {
            // What follows the pause is still done, in haste.
        }
    }

    /// <summary>Compares the beginning of a response of HTTP/1.1, head and all, with what /pattern sends.</summary>
    public void CompareBegun(ReadOnlySpan<byte> response)
    {
        int head = response.IndexOf("\r\n\r\n"u8);
        if (head >= 0)
        {
            ReadOnlySpan<byte> body = response[(head + 4)..];
            Assert.True(PatternBody.Matches(body, 0), $"A wrong byte in the first {body.Length}.");
            Ledger.Compared(body.Length);
        }
    }

    private const int LengthBitsMax = 22;
}
