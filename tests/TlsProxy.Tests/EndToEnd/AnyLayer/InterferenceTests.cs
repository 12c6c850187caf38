using System.Text;
using Aead;
using Aead.Records;
using TestKit;
using TestKit.Network;
using TestKit.Origins;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>
/// What does an origin see of an upload that someone on the path interferes with? Only an authentic prefix,
/// and that it was cut.
/// </summary>
[Trait("Claim", "C1")]
public abstract class InterferenceTests(ProxyProcess proxy, KestrelOrigin origin) : EndToEndTest(proxy)
{
    /// <summary>Every kind, early and late, in both versions and both framings.</summary>
    public static TheoryData<InterferenceKind, int, TlsVersion, bool> AllRows() => Rows([1, 2, 3, RecordsSent - 1], [true, false]);

    /// <summary>Every kind in both versions, once.</summary>
    public static TheoryData<InterferenceKind, int, TlsVersion, bool> OneRowOfEachKind() => Rows([3], [false]);

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task TwentyOfTwentyClientsStillSendingAreToldBadRecordMac(TlsVersion version)
    {
        List<AlertDescription?> alerts = [];
        for (int run = 0; run < 20; run++)
        {
            string id = Guid.NewGuid().ToString();
            Interference flip = new(InterferenceKind.FlipBit, true, 3 + run, version);
            alerts.Add(await UploadThroughAsync(flip, id, chunked: false, recordsSent: 300));
            await AssertOnlyAuthenticAsync(id, (1 + run) * RecordBody);
        }

        Assert.All(alerts, alert => Assert.Equal(AlertDescription.BadRecordMac, alert));
        await AssertServesNextAsync();
    }

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    [Trait("Claim", "C9")]
    public async Task AClientThatRefusesATamperedResponseLeavesTheProxyServing(TlsVersion version)
    {
        await using ManInTheMiddle middle = new(
            Proxy.Port, new Interference(InterferenceKind.FlipBit, ToServer: false, 5, version));
        using AlertObservingClient client = new(middle.Port, version);
        client.WriteRecord(Encoding.ASCII.GetBytes(OpenSslClient.Get("/pattern?length=1000000")));
        byte[] received = await client.ReadToEndAsync().WaitAsync(Timeouts.Exchange);

        await middle.Interfered;
        Assert.InRange(received.Length, 0, 999_999);
        await AssertServesNextAsync();
    }

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task AnUntouchedUploadThroughTheSameRelayIsWhole(TlsVersion version)
    {
        string id = Guid.NewGuid().ToString();
        await using ManInTheMiddle middle = new(
            Proxy.Port, new Interference(InterferenceKind.FlipBit, ToServer: true, int.MaxValue, version));
        using AlertObservingClient client = new(middle.Port, version);
        for (int number = 0; number <= RecordsPromised; number++)
        {
            client.WriteRecord(RecordOf(id, number, chunked: false));
        }

        Upload upload = await origin.Uploads.EndAsync(id);
        long length = (long)RecordsPromised * RecordBody;
        Assert.Equal(Upload.Whole(length), upload);
    }

    protected async Task AssertUploadEndsAtItsLastAuthenticByteAsync(InterferenceKind kind, int record, TlsVersion version, bool chunked)
    {
        string id = Guid.NewGuid().ToString();
        Interference interference = new(kind, ToServer: true, record, version);
        AlertDescription? alert = await UploadThroughAsync(interference, id, chunked);

        if (kind <= InterferenceKind.Swap)
        {
            Assert.Equal(AlertDescription.BadRecordMac, alert);
        }

        await AssertServesNextAsync();
        long authenticRecords = kind == InterferenceKind.Repeat ? record : record - 1;
        await AssertOnlyAuthenticAsync(id, Math.Max(0, authenticRecords - 1) * RecordBody);
        bool headWasForged = authenticRecords == 0;
        Assert.False(headWasForged && origin.Uploads.HasBegun(id), "A forged head was forwarded.");
    }

    private static TheoryData<InterferenceKind, int, TlsVersion, bool> Rows(int[] records, bool[] chunkedOrNot)
    {
        TheoryData<InterferenceKind, int, TlsVersion, bool> rows = [];
        foreach (InterferenceKind kind in Enum.GetValues<InterferenceKind>())
        {
            foreach (int record in records)
            {
                foreach (TlsVersion version in Enum.GetValues<TlsVersion>())
                {
                    foreach (bool chunked in chunkedOrNot)
                    {
                        rows.Add(kind, record, version, chunked);
                    }
                }
            }
        }

        return rows;
    }

    private async Task<AlertDescription?> UploadThroughAsync(
        Interference interference, string id, bool chunked, int recordsSent = RecordsSent)
    {
        await using ManInTheMiddle middle = new(Proxy.Port, interference);
        using AlertObservingClient client = new(middle.Port, interference.Version);
        Task<byte[]> reading = client.ReadToEndAsync();
        int before = Math.Min(interference.ApplicationRecord - 1, RecordsBeforeOriginIsAsked);
        await client.WriteRecordsUntilRefusedAsync(number => RecordOf(id, number, chunked), before);
        if (before == RecordsBeforeOriginIsAsked)
        {
            // Only an upload that is running at the origin can show what the origin sees of it.
            await origin.Uploads.FirstByteAsync(id);
        }

        await client.WriteRecordsUntilRefusedAsync(
            number => RecordOf(id, before + number, chunked), recordsSent - before);
        await middle.Interfered;
        await reading.WaitAsync(Timeouts.Exchange);
        return client.FatalAlert;
    }

    private async Task AssertOnlyAuthenticAsync(string id, long lengthMax)
    {
        if (origin.Uploads.HasBegun(id))
        {
            Upload upload = await origin.Uploads.EndAsync(id);
            Assert.Equal(UploadOutcome.Aborted, upload.Outcome);
            Assert.True(upload.IsPattern, "The origin received bytes that the client never sent.");
            Assert.InRange(upload.Length, 0, lengthMax);
        }
    }

    private async Task AssertServesNextAsync()
    {
        using HttpClient next = Proxy.CreateClient();
        Assert.Equal("hello", await next.GetStringAsync("/hello"));
    }

    // Record 0 is the request's head; each further one carries the same number of body bytes, as one chunk
    // where chunked.
    private static byte[] RecordOf(string id, int number, bool chunked)
    {
        if (number == 0)
        {
            string framing = chunked
                ? "Transfer-Encoding: chunked"
                : $"Content-Length: {(long)RecordsPromised * RecordBody}";
            return Encoding.ASCII.GetBytes(
                $"PUT /sink?id={id} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n");
        }

        byte[] body = new byte[RecordBody];
        PatternBody.Fill(body, (number - 1L) * RecordBody);
        return chunked ? [.. Encoding.ASCII.GetBytes($"{RecordBody:x}\r\n"), .. body, .. "\r\n"u8] : body;
    }

    private const int RecordBody = 16000;
    private const int RecordsSent = 40;
    private const int RecordsPromised = 400;
    private const int RecordsBeforeOriginIsAsked = 2;
}
