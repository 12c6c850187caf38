using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using TlsProxy.Proxy;
using Xunit;

namespace TlsProxy.Tests.Proxy;

/// <summary>What Kestrel lets through, and HTTP/2 forbids. That the proxy uses it, and what Kestrel refuses itself, is seen by the attack of this name.</summary>
[Trait("Claim", "C11")]
public sealed class ConnectionFieldsTests
{
    [Theory]
    [InlineData("keep-alive")]
    [InlineData("proxy-connection")]
    [InlineData("transfer-encoding")]
    [InlineData("upgrade")]
    public async Task HTTP2RequestsWithFieldsOfAConnectionAreReset(string name)
    {
        (int? reset, bool forwarded) = await AskAsync("HTTP/2", name);
        Assert.Equal(ProtocolError, reset);
        Assert.False(forwarded);
    }

    [Theory]
    [InlineData("HTTP/1.1", "transfer-encoding")]
    [InlineData("HTTP/1.1", "upgrade")]
    [InlineData("HTTP/2", "te")]
    [InlineData("HTTP/2", "x-upgrade")]
    public async Task OthersAreForwarded(string protocol, string name)
    {
        (int? reset, bool forwarded) = await AskAsync(protocol, name);
        Assert.Null(reset);
        Assert.True(forwarded);
    }

    private static async Task<(int? Reset, bool Forwarded)> AskAsync(string protocol, string name)
    {
        bool forwarded = false;
        StreamOfTest stream = new();
        DefaultHttpContext context = new();
        context.Request.Protocol = protocol;
        context.Request.Headers[name] = "a";
        context.Features.Set<IHttpResetFeature>(stream);
        await ConnectionFields.RefuseAsync(context, _ =>
        {
            forwarded = true;
            return Task.CompletedTask;
        });
        return (stream.ResetWith, forwarded);
    }

    private sealed class StreamOfTest : IHttpResetFeature
    {
        public int? ResetWith { get; private set; }

        public void Reset(int errorCode) => ResetWith = errorCode;
    }

    private const int ProtocolError = 1;
}
