using System.Net;
using System.Net.Sockets;
using Aead;
using Aead.Records;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace TestKit.Network;

/// <summary>
/// A TLS client that shows what ordinary ones hide: it writes one record per call, sends on while it reads,
/// and tells which alert it was sent. It trusts any certificate: trust is tested elsewhere.
/// </summary>
public sealed class AlertObservingClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly TlsClientProtocol _protocol;
    private readonly Peer _peer;

    /// <summary>Connects and shakes hands in exactly this version.</summary>
    public AlertObservingClient(int port, TlsVersion version)
    {
        _socket.NoDelay = true;
        _socket.ReceiveTimeout = _socket.SendTimeout = (int)Timeouts.Exchange.TotalMilliseconds;
        _socket.Connect(IPAddress.Loopback, port);
        _protocol = new TlsClientProtocol(new NetworkStream(_socket, ownsSocket: true));
        _peer = new Peer(version);
        _protocol.Connect(_peer);
    }

    /// <summary>
    /// The fatal alert received, once <see cref="ReadToEndAsync"/> has returned; null when the connection
    /// ended in any other way.
    /// </summary>
    public Aead.Records.AlertDescription? FatalAlert => _peer.FatalAlert;

    /// <summary>Sends one record with at most 2^14 bytes.</summary>
    public void WriteRecord(ReadOnlySpan<byte> content) =>
        _protocol.WriteApplicationData(content.ToArray(), 0, content.Length);

    /// <summary>Sends records until the connection refuses or <paramref name="count"/> are through.</summary>
    public Task WriteRecordsUntilRefusedAsync(Func<int, byte[]> record, int count) => Task.Run(() =>
    {
        try
        {
            for (int number = 0; number < count; number++)
            {
                WriteRecord(record(number));
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The server stopped listening, which is what the test provokes; what it said is in FatalAlert.
        }
    });

    /// <summary>Reads until the connection ends in whatever way; returns what was readable.</summary>
    public Task<byte[]> ReadToEndAsync() => Task.Run(() =>
    {
        using MemoryStream received = new();
        byte[] buffer = new byte[RecordHeader.PlaintextLengthMax];
        try
        {
            int count;
            while ((count = _protocol.ReadApplicationData(buffer, 0, buffer.Length)) > 0)
            {
                received.Write(buffer, 0, count);
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // A fatal alert, a reset or an end without close_notify: FatalAlert tells them apart.
        }

        return received.ToArray();
    });

    public void Dispose() => _socket.Dispose();

    private sealed class Peer(TlsVersion version) : DefaultTlsClient(new BcTlsCrypto())
    {
        public Aead.Records.AlertDescription? FatalAlert { get; private set; }

        public override TlsAuthentication GetAuthentication() => new AnyServer();

        public override void NotifyAlertReceived(short level, short description)
        {
            if (level == AlertLevel.fatal)
            {
                FatalAlert = (Aead.Records.AlertDescription)description;
            }
        }

        protected override ProtocolVersion[] GetSupportedVersions() =>
            [version == TlsVersion.Tls13 ? ProtocolVersion.TLSv13 : ProtocolVersion.TLSv12];
    }

    private sealed class AnyServer : TlsAuthentication
    {
        public void NotifyServerCertificate(TlsServerCertificate serverCertificate)
        {
        }

        public TlsCredentials? GetClientCredentials(CertificateRequest certificateRequest) => null;
    }
}
