using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aead;
using Aead.Pages;
using Ktls.Handshake;
using Ktls.Kernel;
using Ktls.Tests.Kernel;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>The real transport with one listener. Disposing it proves that every lease, slot and connection came back.</summary>
internal sealed class TransportHost : IAsyncDisposable
{
    private readonly List<IDisposable> _clients = [];
    private readonly List<ConnectionContext> _connections = [];
    private readonly TlsTransportFactory _factory;

    private TransportHost(PagePool pages, TlsTransportFactory factory, IConnectionListener listener)
    {
        Pages = pages;
        _factory = factory;
        Listener = listener;
    }

    public PagePool Pages { get; }

    public IConnectionListener Listener { get; }

    public TransportResources Resources => _factory.Resources;

    public IPEndPoint Address => (IPEndPoint)Listener.EndPoint;

    public static async Task<TransportHost> StartAsync(
        long pageBytesMax = 16 << 20, int maxConnections = 1000, int maxHandshakes = 1000, TimeSpan? handshakeTimeout = null,
        IKernelSupport? kernel = null, KernelPolicy? policy = null, KernelWatch? watch = null)
    {
        PagePool pages = PagePool.Create(new PagePolicy { BytesMax = pageBytesMax, Delivery = Delivery.Copy }, TransportResources.Stages);
        TlsTransportFactory factory = new(pages, new SharedMemory(), kernel ?? new NoKernelSupport(), NullLoggerFactory.Instance, watch);
        TlsListenerOptions options = new()
        {
            Name = "test",
            Handshake = new HandshakePolicy { Identities = new ServerIdentitySet([Identity]) },
            Kernel = policy ?? new KernelPolicy(),
            HandshakeTimeout = handshakeTimeout ?? TestKit.Timeouts.Exchange,
            MaxConnections = maxConnections,
            MaxHandshakes = maxHandshakes,
        };
        TlsEndPoint endPoint = new(new IPEndPoint(IPAddress.Loopback, 0), options);
        return new TransportHost(pages, factory, await factory.BindAsync(endPoint));
    }

    /// <summary>Binds a second listener to an address.</summary>
    public ValueTask<IConnectionListener> BindAsync(IPEndPoint address, string name) => _factory.BindAsync(new TlsEndPoint(
        address, new TlsListenerOptions { Name = name, Handshake = new HandshakePolicy { Identities = new ServerIdentitySet([Identity]) } }));

    /// <summary>A client after its handshake, and its connection.</summary>
    public async Task<(RecordStream Client, ConnectionContext Connection)> ConnectAsync(
        TlsVersion version = TlsVersion.Tls13, int receiveBuffer = 0)
    {
        RecordStream client = await Task.Run(() => RawTlsClient.Handshake(OpenSocket(receiveBuffer), version)).Within();
        lock (_clients)
        {
            _clients.Add(client);
        }

        return (client, await AcceptAsync());
    }

    public async Task<ConnectionContext> AcceptAsync()
    {
        ConnectionContext? connection = await Listener.AcceptAsync().Within();
        Assert.NotNull(connection);
        lock (_connections)
        {
            _connections.Add(connection);
        }

        return connection;
    }

    public Socket OpenSocket(int receiveBuffer = 0)
    {
        Socket socket = RawTlsClient.Connect(Address, receiveBuffer);
        lock (_clients)
        {
            _clients.Add(socket);
        }

        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        foreach (ConnectionContext connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await Listener.DisposeAsync();
        _factory.Dispose();
        Assert.Equal(0, Pages.Status.CopyBytesInUse);
        Assert.Equal(0, Pages.Status.SlotsInUse);
        Pages.Dispose();
    }

    private static ServerIdentity CreateIdentity()
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return new ServerIdentity([X509CertificateLoader.LoadCertificate(certificate.RawData)], key, ["localhost"]);
    }

    internal static readonly ServerIdentity Identity = CreateIdentity();

    internal sealed class SharedMemory : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => MemoryPool<byte>.Shared;
    }
}
