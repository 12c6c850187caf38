using System.Net;
using System.Net.Sockets;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using TestKit.Network;
using CipherSuite = Aead.CipherSuite;

namespace TestKit.Secrets;

/// <summary>What a <see cref="KnowingClient"/> offers: one of each.</summary>
/// <param name="Suite">The suite, which implies the version.</param>
/// <param name="Certificate">The kind of certificate it accepts.</param>
/// <param name="Group">The named group, as in RFC 8446 §4.2.7.</param>
/// <param name="Http2">HTTP/2, else HTTP/1.1.</param>
public sealed record KnowingOffer(CipherSuite Suite, Aead.CertificateKind Certificate, int Group, bool Http2)
{
    /// <summary>It ends the handshake as soon as it sees the certificate.</summary>
    public bool DistrustsServer { get; init; }
}

/// <summary>A client that can tell every secret of its connection, and can end it in every way. Blocks.</summary>
public sealed class KnowingClient : IDisposable
{
    private readonly List<RecordedSecret> _secrets = [];
    private readonly Protocol _protocol;
    private readonly TamperingStream _stream;

    /// <summary>Connects; the handshake is yet to come.</summary>
    public KnowingClient(int port, KnowingOffer offer)
    {
        Offer = offer;
        Socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)Timeouts.Exchange.TotalMilliseconds,
            SendTimeout = (int)Timeouts.Exchange.TotalMilliseconds,
        };
        Socket.Connect(IPAddress.Loopback, port);
        _stream = new TamperingStream(new NetworkStream(Socket));
        _protocol = new Protocol(_stream);
    }

    public KnowingOffer Offer { get; }

    public Socket Socket { get; }

    /// <summary>All that were made so far, in that order.</summary>
    public IReadOnlyList<RecordedSecret> Secrets
    {
        get
        {
            lock (_secrets)
            {
                return [.. _secrets];
            }
        }
    }

    public void Handshake() => _protocol.Connect(new Peer(Offer, new RecordingCrypto(_secrets)));

    public void Send(ReadOnlySpan<byte> data) => _protocol.WriteApplicationData(data);

    /// <summary>The next bytes of data; none at the end.</summary>
    public ReadOnlySpan<byte> Receive()
    {
        byte[] buffer = new byte[1 << 14];
        return buffer.AsSpan(0, Math.Max(0, _protocol.ReadApplicationData(buffer, 0, buffer.Length)));
    }

    /// <summary>The next record that is sent will not verify.</summary>
    public void TamperWithNext() => _stream.TampersNext = true;

    /// <summary>TLS 1.3: our next keys, and the server's.</summary>
    public void UpdateKeys() => _protocol.UpdateKeys();

    /// <summary>close_notify, then waits for the server's end.</summary>
    public void Close() => _protocol.Close();

    /// <summary>Ends without a word of TLS: FIN.</summary>
    public void Finish() => Socket.Shutdown(SocketShutdown.Both);

    /// <summary>Ends with a reset.</summary>
    public void Reset() => Socket.Close(0);

    public void Dispose() => Socket.Dispose();

    private sealed class Protocol(Stream stream) : TlsClientProtocol(stream)
    {
        public void UpdateKeys() => Send13KeyUpdate(updateRequested: true);
    }

    private sealed class Peer(KnowingOffer offer, TlsCrypto crypto) : DefaultTlsClient(crypto)
    {
        public override TlsAuthentication GetAuthentication() => new Trust(offer);

        public override IList<int> GetEarlyKeyShareGroups() => [offer.Group];

        protected override ProtocolVersion[] GetSupportedVersions() =>
            [offer.Suite.Version == Aead.TlsVersion.Tls13 ? ProtocolVersion.TLSv13 : ProtocolVersion.TLSv12];

        protected override int[] GetSupportedCipherSuites() => [offer.Suite.Id];

        protected override IList<int> GetSupportedGroups(IList<int> namedGroupRoles) =>
            offer.Suite.Version == Aead.TlsVersion.Tls13 ? [offer.Group] : [offer.Group, NamedGroup.secp256r1];

        protected override IList<ProtocolName> GetProtocolNames() => [offer.Http2 ? ProtocolName.Http_2_Tls : ProtocolName.Http_1_1];

        protected override IList<SignatureAndHashAlgorithm> GetSupportedSignatureAlgorithms() =>
            offer.Certificate == Aead.CertificateKind.Ecdsa
                ? [SignatureAndHashAlgorithm.GetInstance(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa)]
                : [SignatureAndHashAlgorithm.rsa_pss_rsae_sha256];
    }

    // Trust is tested elsewhere.
    private sealed class Trust(KnowingOffer offer) : TlsAuthentication
    {
        public void NotifyServerCertificate(TlsServerCertificate serverCertificate)
        {
            if (offer.DistrustsServer)
            {
                throw new TlsFatalAlert(AlertDescription.unknown_ca);
            }
        }

        public TlsCredentials? GetClientCredentials(CertificateRequest certificateRequest) => null;
    }

    private sealed class TamperingStream(Stream inner) : DirectStream
    {
        public bool TampersNext { get; set; }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count)
        {
            byte[] sent = buffer[offset..(offset + count)];
            if (TampersNext)
            {
                sent[^1] ^= 1;
                TampersNext = false;
            }

            inner.Write(sent);
        }

        public override void Flush() => inner.Flush();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
