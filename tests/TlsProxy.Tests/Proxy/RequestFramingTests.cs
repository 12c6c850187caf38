using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using TlsProxy.Proxy;
using Xunit;

namespace TlsProxy.Tests.Proxy;

/// <summary>What Kestrel lets through and nobody may forward. That the proxy asks is seen by the attacks "downgrade" and "smuggling".</summary>
[Trait("Claim", "C11")]
public sealed class RequestFramingTests
{
    [Theory]
    [InlineData("keep-alive")]
    [InlineData("proxy-connection")]
    [InlineData("transfer-encoding")]
    [InlineData("upgrade")]
    public async Task HTTP2RequestsWithFieldsOfAConnectionAreReset(string name)
    {
        Outcome outcome = await AskAsync("HTTP/2", name, "chunked");
        Assert.Equal(new Outcome(ProtocolError, StatusCodes.Status200OK, Forwarded: false), outcome);
    }

    [Theory]
    [InlineData("gzip, chunked")]
    [InlineData("identity")]
    [InlineData("chunked", "chunked")]
    public async Task TransferCodingsThatNobodyUndoesAreNotImplemented(params string[] codings)
    {
        Outcome outcome = await AskAsync("HTTP/1.1", "transfer-encoding", codings);
        Assert.Equal(new Outcome(null, StatusCodes.Status501NotImplemented, Forwarded: false), outcome);
    }

    [Theory]
    [InlineData("HTTP/1.1", "transfer-encoding", "Chunked")]
    [InlineData("HTTP/1.1", "upgrade", "websocket")]
    [InlineData("HTTP/2", "te", "trailers")]
    [InlineData("HTTP/2", "x-upgrade", "a")]
    public async Task OthersAreForwarded(string protocol, string name, string value) =>
        Assert.Equal(new Outcome(null, StatusCodes.Status200OK, Forwarded: true), await AskAsync(protocol, name, value));

    private static async Task<Outcome> AskAsync(string protocol, string name, params string[] values)
    {
        bool forwarded = false;
        Http2Stream stream = new();
        DefaultHttpContext context = new();
        context.Request.Protocol = protocol;
        context.Request.Headers[name] = values;
        context.Features.Set<IHttpResetFeature>(stream);
        await RequestFraming.RefuseUnclearAsync(context, _ =>
        {
            forwarded = true;
            return Task.CompletedTask;
        });
        return new Outcome(stream.ResetWith, context.Response.StatusCode, forwarded);
    }

    private sealed record Outcome(int? Reset, int Status, bool Forwarded);

    private sealed class Http2Stream : IHttpResetFeature
    {
        public int? ResetWith { get; private set; }

        public void Reset(int errorCode) => ResetWith = errorCode;
    }

    private const int ProtocolError = 1;
}
