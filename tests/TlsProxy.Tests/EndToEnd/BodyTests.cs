using TestKit;
using TestKit.Origins;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>
/// Do bodies arrive byte for byte, whatever their size lies around the record's, the version and the framing?
/// </summary>
public sealed class BodyTests(OriginFixture origins)
    : EndToEndTest(origins.Proxy), IClassFixture<OriginFixture>
{
    public static TheoryData<long, string, string, bool> Rows()
    {
        TheoryData<long, string, string, bool> rows = [];
        foreach (long length in OriginFixture.LengthsAroundARecord)
        {
            foreach (string tls in (string[])["1.2", "1.3"])
            {
                foreach (string http in (string[])["--http1.1", "--http2"])
                {
                    rows.Add(length, tls, http, true);
                    rows.Add(length, tls, http, false);
                }
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task WhatNginxServesIsWhatCurlReceives(long length, string tls, string http, bool chunked)
    {
        CommandResult result = await Curl.HashAsync(
            Proxy, chunked ? $"/chunked/{length}" : $"/{length}", [http, .. Version(tls)]);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.EndsWith($"200 {length}", result.Error, StringComparison.Ordinal);
        Assert.Equal(PatternBody.Sha256(length), result.Output);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task WhatCurlSendsIsWhatTheOriginReceives(long length, string tls, string http, bool chunked)
    {
        string id = Guid.NewGuid().ToString();
        string file = chunked ? "-" : origins.Nginx.PatternFile(length);
        CommandResult result = await Curl.HashAsync(
            Proxy,
            $"/sink?id={id}",
            ["--upload-file", file, http, .. Version(tls)],
            input: chunked ? writer => PatternBody.WriteToAsync(writer.BaseStream, length, default) : null);

        Assert.True(result.ExitCode == 0, result.Everything);
        Upload upload = await origins.Kestrel.Uploads.EndAsync(id);
        Assert.Equal(Upload.Whole(length), upload);
    }

    private static string[] Version(string tls) => ["--tlsv" + tls, "--tls-max", tls];
}

/// <summary>Does a gigabyte pass each way without being held?</summary>
public sealed class GigabyteTests(GigabyteTests.Fixture origins)
    : EndToEndTest(origins.Proxy), IClassFixture<GigabyteTests.Fixture>
{
    [Fact]
    public async Task AGigabyteArrivesFromNginx()
    {
        CommandResult result = await Curl.HashAsync(
            Proxy, $"/{Gigabyte}", ["--http1.1"], timeout: Timeouts.Bulk);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal(PatternBody.Sha256(Gigabyte), result.Output);
    }

    [Fact]
    public async Task AGigabyteArrivesAtTheOrigin()
    {
        CommandResult result = await Curl.HashAsync(
            Proxy,
            "/sink?id=gigabyte",
            ["--http1.1", "--upload-file", origins.Nginx.PatternFile(Gigabyte)],
            timeout: Timeouts.Bulk);

        Assert.True(result.ExitCode == 0, result.Everything);
        Upload upload = await origins.Kestrel.Uploads.EndAsync("gigabyte");
        Assert.Equal(Upload.Whole(Gigabyte), upload);
    }

    private const long Gigabyte = 1L << 30;

    public sealed class Fixture : OriginFixture
    {
        protected override long[] Lengths => [Gigabyte];
    }
}
