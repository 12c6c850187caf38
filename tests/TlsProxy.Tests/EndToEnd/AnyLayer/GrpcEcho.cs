using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>
/// A gRPC service over plain bytes: no schema and no generated code, the four shapes of a call.
/// </summary>
internal sealed class GrpcEcho
{
    public static readonly Method<byte[], byte[]> Unary = Define(MethodType.Unary);
    public static readonly Method<byte[], byte[]> ServerStream = Define(MethodType.ServerStreaming);
    public static readonly Method<byte[], byte[]> ClientStream = Define(MethodType.ClientStreaming);
    public static readonly Method<byte[], byte[]> Bidirectional = Define(MethodType.DuplexStreaming);

    /// <summary>The same bytes; none at all is an invalid argument.</summary>
    public Task<byte[]> Echo(byte[] message) => message.Length > 0
        ? Task.FromResult(message)
        : throw new RpcException(new Status(StatusCode.InvalidArgument, "empty"));

    /// <summary>The message in ten parts.</summary>
    public async Task Split(byte[] message, IServerStreamWriter<byte[]> parts)
    {
        foreach (byte[] part in message.Chunk(Math.Max(1, message.Length / 10)))
        {
            await parts.WriteAsync(part);
        }
    }

    /// <summary>All parts in one message.</summary>
    public async Task<byte[]> Gather(IAsyncStreamReader<byte[]> parts)
    {
        using MemoryStream whole = new();
        await foreach (byte[] part in parts.ReadAllAsync())
        {
            whole.Write(part);
        }

        return whole.ToArray();
    }

    /// <summary>Each message as it comes.</summary>
    public async Task EchoEach(IAsyncStreamReader<byte[]> messages, IServerStreamWriter<byte[]> replies)
    {
        await foreach (byte[] message in messages.ReadAllAsync())
        {
            await replies.WriteAsync(message);
        }
    }

    private static Method<byte[], byte[]> Define(MethodType type)
    {
        Marshaller<byte[]> asIs = Marshallers.Create(bytes => bytes, bytes => bytes);
        return new Method<byte[], byte[]>(type, "Echo", type.ToString(), asIs, asIs);
    }
}

/// <summary>Hands the four methods to the gRPC server, which generated code would do otherwise.</summary>
internal sealed class GrpcEchoMethods : IServiceMethodProvider<GrpcEcho>
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<GrpcEcho> context)
    {
        context.AddUnaryMethod(GrpcEcho.Unary, [], (echo, message, _) => echo.Echo(message));
        context.AddServerStreamingMethod(
            GrpcEcho.ServerStream, [], (echo, message, parts, _) => echo.Split(message, parts));
        context.AddClientStreamingMethod(GrpcEcho.ClientStream, [], (echo, parts, _) => echo.Gather(parts));
        context.AddDuplexStreamingMethod(
            GrpcEcho.Bidirectional, [], (echo, messages, replies, _) => echo.EchoEach(messages, replies));
    }
}

internal static class GrpcEchoServices
{
    public static void AddGrpcEcho(this IServiceCollection services)
    {
        services.AddGrpc();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IServiceMethodProvider<GrpcEcho>, GrpcEchoMethods>());
    }
}
