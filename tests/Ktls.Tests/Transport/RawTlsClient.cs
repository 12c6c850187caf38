using System.Net;
using System.Net.Sockets;
using Aead;
using Aead.Keys;
using Aead.Records;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using CipherSuite = Aead.CipherSuite;

namespace Ktls.Tests.Transport;

/// <summary>Shakes hands by BouncyCastle and gives the keys away, so that a test then speaks single records on the bare socket.</summary>
internal static class RawTlsClient
{
    public static Socket Connect(IPEndPoint server, int receiveBuffer = 0)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)TestKit.Timeouts.Exchange.TotalMilliseconds,
            SendTimeout = (int)TestKit.Timeouts.Exchange.TotalMilliseconds,
        };
        if (receiveBuffer > 0)
        {
            socket.ReceiveBufferSize = receiveBuffer;
        }

        socket.Connect(server);
        return socket;
    }

    /// <summary>A whole handshake. Blocks.</summary>
    /// <param name="socket">Taken over.</param>
    /// <param name="version">The one version offered.</param>
    /// <param name="writes">Stands between the client and its socket.</param>
    /// <param name="protocol">The one application protocol offered; null offers HTTP/2 and HTTP/1.1.</param>
    public static RecordStream Handshake(Socket socket, TlsVersion version, Func<Stream, Stream>? writes = null, string? protocol = null)
    {
        Peer peer = new(version, protocol);
        NetworkStream stream = new(socket);
        new TlsClientProtocol(writes?.Invoke(stream) ?? stream).Connect(peer);
        return new RecordStream(socket, peer.WriteKeys!, peer.ReadKeys!);
    }

    /// <summary>
    /// A whole handshake whose last flight leaves together with the first data: a client that does not wait to see the server's Finished,
    /// in TLS 1.2 a false start (RFC 7918). Blocks.
    /// </summary>
    /// <param name="socket">Taken over.</param>
    /// <param name="version">The one version offered.</param>
    /// <param name="protocol">The one application protocol offered.</param>
    /// <param name="data">Makes the records behind Finished.</param>
    /// <param name="send">Sends them: one buffer with the last flight and the data.</param>
    public static RecordStream HandshakeWithData(
        Socket socket, TlsVersion version, string protocol, Func<RecordEncryptor, byte[]> data, Action<byte[]> send)
    {
        Peer peer = new(version, protocol);
        RecordEncryptor? encryptor = null;
        using HeldFlight stream = new(new NetworkStream(socket), releasesToRead: version == TlsVersion.Tls12, flight =>
        {
            peer.DeriveKeys();
            encryptor = new RecordEncryptor(peer.WriteKeys!);
            send([.. flight, .. data(encryptor)]);
        });
        new TlsClientProtocol(stream).Connect(peer);
        stream.Release();
        return new RecordStream(socket, encryptor!, peer.ReadKeys!);
    }

    private sealed class Peer(TlsVersion version, string? protocol) : DefaultTlsClient(new BcTlsCrypto())
    {
        public DirectionKeys? WriteKeys { get; private set; }

        public DirectionKeys? ReadKeys { get; private set; }

        public override TlsAuthentication GetAuthentication() => new AnyServer();

        public override void NotifyHandshakeComplete()
        {
            base.NotifyHandshakeComplete();
            DeriveKeys();
        }

        public void DeriveKeys()
        {
            if (WriteKeys != null)
            {
                return;
            }

            SecurityParameters secrets = m_context.SecurityParameters;
            CipherSuite suite = CipherSuite.Find((ushort)secrets.CipherSuite)!;
            if (version == TlsVersion.Tls13)
            {
                WriteKeys = DirectionKeys.FromTrafficSecret(suite, secrets.TrafficSecretClient.Extract());
                ReadKeys = DirectionKeys.FromTrafficSecret(suite, secrets.TrafficSecretServer.Extract());
                return;
            }

            int key = suite.Aead.KeyLength;
            int iv = suite.IvLength;
            byte[] block = TlsImplUtilities.CalculateKeyBlock(new TlsCryptoParameters(m_context), 2 * (key + iv));
            WriteKeys = DirectionKeys.FromKeyBlock(suite, block.AsSpan(0, key), block.AsSpan(2 * key, iv), 1);
            ReadKeys = DirectionKeys.FromKeyBlock(suite, block.AsSpan(key, key), block.AsSpan((2 * key) + iv, iv), 1);
        }

        protected override ProtocolVersion[] GetSupportedVersions() =>
            [version == TlsVersion.Tls13 ? ProtocolVersion.TLSv13 : ProtocolVersion.TLSv12];

        protected override IList<ProtocolName> GetProtocolNames() =>
            protocol == null ? [ProtocolName.Http_2_Tls, ProtocolName.Http_1_1] : [ProtocolName.AsUtf8Encoding(protocol)];
    }

    private sealed class AnyServer : TlsAuthentication
    {
        public void NotifyServerCertificate(TlsServerCertificate serverCertificate)
        {
        }

        public TlsCredentials? GetClientCredentials(CertificateRequest certificateRequest) => null;
    }
}
