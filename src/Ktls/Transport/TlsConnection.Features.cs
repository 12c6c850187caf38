using System.Buffers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Aead;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Ktls.Transport;

// Kestrel decides by these that the scheme is https and which HTTP version to speak; they must be there before it sees the connection.
internal sealed partial class TlsConnection :
    IConnectionIdFeature,
    IConnectionTransportFeature,
    IConnectionItemsFeature,
    IConnectionLifetimeFeature,
    IConnectionEndPointFeature,
    IMemoryPoolFeature,
    ITlsConnectionFeature,
    ITlsHandshakeFeature,
    ITlsApplicationProtocolFeature
{
    private readonly CipherSuite _suite;
    private readonly string? _serverName;

    /// <summary>What <see cref="Features"/> lists besides what others added.</summary>
    public static readonly Type[] OwnFeatures =
    [
        typeof(IConnectionIdFeature), typeof(IConnectionTransportFeature), typeof(IConnectionItemsFeature), typeof(IConnectionLifetimeFeature),
        typeof(IConnectionEndPointFeature), typeof(IMemoryPoolFeature), typeof(ITlsConnectionFeature), typeof(ITlsHandshakeFeature),
        typeof(ITlsApplicationProtocolFeature),
    ];

    public MemoryPool<byte> MemoryPool => _transport.PoolsOf(_socket.Loop).Memory;

    public X509Certificate2? ClientCertificate { get; set; }

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

    public ReadOnlyMemory<byte> ApplicationProtocol { get; }

    public SslProtocols Protocol => _suite.Version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12;

    public TlsCipherSuite? NegotiatedCipherSuite => (TlsCipherSuite)_suite.Id;

    public string HostName => _serverName ?? "";

#pragma warning disable SYSLIB0058 // The interface still demands the members that NegotiatedCipherSuite replaced.
    public CipherAlgorithmType CipherAlgorithm => CipherAlgorithmType.None;

    public int CipherStrength => 0;

    public HashAlgorithmType HashAlgorithm => HashAlgorithmType.None;

    public int HashStrength => 0;

    public ExchangeAlgorithmType KeyExchangeAlgorithm => ExchangeAlgorithmType.None;

    public int KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058

    // The two that nearly every connection has are shared.
    private static ReadOnlyMemory<byte> ProtocolBytes(string? protocol) => protocol switch
    {
        null => default,
        "h2" => Http2,
        "http/1.1" => Http11,
        _ => Encoding.ASCII.GetBytes(protocol),
    };

    private static readonly byte[] Http2 = "h2"u8.ToArray();
    private static readonly byte[] Http11 = "http/1.1"u8.ToArray();
}
