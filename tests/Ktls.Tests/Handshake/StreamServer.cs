using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Aead;
using Ktls.Handshake;
using Xunit;

namespace Ktls.Tests.Handshake;

/// <summary>
/// Drives a <see cref="ServerHandshake"/> over a stream as the transport does: header, fragment, output.
/// </summary>
internal static class StreamServer
{
    public static async Task<HandshakeStatus> RunAsync(ServerHandshake handshake, Stream stream)
    {
        byte[] record = new byte[ServerHandshake.RecordLengthMax];
        HandshakeStatus status = HandshakeStatus.NeedMoreData;
        while (status == HandshakeStatus.NeedMoreData)
        {
            await stream.ReadExactlyAsync(record.AsMemory(0, 5)).AsTask().WaitAsync(Timeout);
            if (handshake.AcceptHeader(record.AsSpan(0, 5), out int length))
            {
                await stream.ReadExactlyAsync(record.AsMemory(5, length)).AsTask().WaitAsync(Timeout);
                status = handshake.Offer(record, 5 + length);
            }
            else
            {
                status = HandshakeStatus.Refused;
            }

            await stream.WriteAsync(handshake.TakeOutput());
            await stream.FlushAsync();
        }

        return status;
    }

    /// <summary>A whole handshake with SslStream; the client's stream is returned authenticated.</summary>
    public static async Task<(HandshakeResult Result, SslStream Client, Stream Server)> ConnectAsync(
        HandshakePolicy policy, SslClientAuthenticationOptions options, bool useLibCrypto = true)
    {
        (Stream clientEnd, Stream serverEnd) = Duplex.Create();
        using var handshake = new ServerHandshake(policy, useLibCrypto);
        var client = new SslStream(clientEnd);
        Task authenticating = client.AuthenticateAsClientAsync(options);
        HandshakeStatus status = await RunAsync(handshake, serverEnd).WaitAsync(Timeout);
        Assert.True(status == HandshakeStatus.Established, handshake.Refusal?.Reason);
        await authenticating.WaitAsync(Timeout);
        return (handshake.Result!, client, serverEnd);
    }

    [SuppressMessage("Interoperability", "CA1416", Justification = "The tests run on Linux alone.")]
    [SuppressMessage("Security", "CA5359",
        Justification = "What is tested is the server, not the client's trust.")]
    public static SslClientAuthenticationOptions Client(string host = "ecdsa.example",
        CipherSuite? suite = null) => new()
        {
            TargetHost = host,
            EnabledSslProtocols = suite?.Version switch
            {
                TlsVersion.Tls12 => SslProtocols.Tls12,
                TlsVersion.Tls13 => SslProtocols.Tls13,
                _ => SslProtocols.Tls12 | SslProtocols.Tls13,
            },
            CipherSuitesPolicy = suite is null ? null : new CipherSuitesPolicy([(TlsCipherSuite)suite.Id]),
            CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck },
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        };

    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);
}
