using Grpc.Core;
using TestKit;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>Do all four shapes of a gRPC call pass, trailers included?</summary>
public abstract class GrpcCallTests(GrpcFixture fixture) : EndToEndTest(fixture.Proxy)
{
    [Fact]
    public async Task AUnaryCallEchoes()
    {
        byte[] message = PatternBody.Take(100_000);
        using AsyncUnaryCall<byte[]> call =
            fixture.Calls.AsyncUnaryCall(GrpcEcho.Unary, null, Options, message);

        Assert.Equal(message, await call.ResponseAsync);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task AnErrorArrivesAsItsStatus()
    {
        using AsyncUnaryCall<byte[]> call = fixture.Calls.AsyncUnaryCall(GrpcEcho.Unary, null, Options, []);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task AServerStreamEchoes()
    {
        byte[] message = PatternBody.Take(1000);
        using AsyncServerStreamingCall<byte[]> call =
            fixture.Calls.AsyncServerStreamingCall(GrpcEcho.ServerStream, null, Options, message);
        List<byte[]> received = await call.ResponseStream.ReadAllAsync().ToListAsync();

        Assert.Equal(message, received.SelectMany(part => part));
    }

    [Fact]
    public async Task AClientStreamIsGathered()
    {
        using AsyncClientStreamingCall<byte[], byte[]> call =
            fixture.Calls.AsyncClientStreamingCall(GrpcEcho.ClientStream, null, Options);
        for (int part = 0; part < 10; part++)
        {
            await call.RequestStream.WriteAsync([(byte)part]);
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], await call.ResponseAsync);
    }

    [Fact]
    public async Task ABidirectionalStreamEchoesTurnByTurn()
    {
        using AsyncDuplexStreamingCall<byte[], byte[]> call =
            fixture.Calls.AsyncDuplexStreamingCall(GrpcEcho.Bidirectional, null, Options);
        for (int turn = 1; turn <= 10; turn++)
        {
            byte[] message = PatternBody.Take(turn * 5000);
            await call.RequestStream.WriteAsync(message);
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal(message, call.ResponseStream.Current);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    private static CallOptions Options => new(deadline: DateTime.UtcNow + Timeouts.Exchange);
}
