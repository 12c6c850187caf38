using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>The shapes of a gRPC call, with the product's own choice of record layers.</summary>
public sealed class GrpcTests(GrpcFixture fixture) : GrpcCallTests(fixture), IClassFixture<GrpcFixture>;
