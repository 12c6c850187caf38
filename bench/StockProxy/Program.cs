using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Yarp.ReverseProxy.Configuration;

namespace StockProxy;

/// <summary>
/// What a .NET user would write instead of TlsProxy: Kestrel, SslStream and YARP, set up the documented way.
/// Arguments: port, certificate, key, origin, sink.
/// </summary>
internal static class Program
{
    public static void Main(string[] args)
    {
        if (args.Length != 5)
        {
            Console.Error.WriteLine("usage: StockProxy PORT CERTIFICATE.pem KEY.pem ORIGIN-URL SINK-URL");
            Environment.Exit(2);
        }

        int port = int.Parse(args[0], CultureInfo.InvariantCulture);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseSockets(sockets => sockets.Backlog = 4096);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.UseHttps(https => Configure(https, args[1], args[2])));
        });
        builder.Services.AddReverseProxy().LoadFromMemory(
            [Route("upload", "/upload"), Route("all", "{**any}")],
            [Cluster("upload", args[4]), Cluster("all", args[3])]);

        WebApplication app = builder.Build();
        app.MapReverseProxy();
        app.Run();
    }

    // The same handshake as every other peer: one suite, and no tickets, which TlsProxy does not give either.
    private static void Configure(HttpsConnectionAdapterOptions https, string certificate, string key)
    {
        https.ServerCertificate = X509Certificate2.CreateFromPemFile(certificate, key);
        https.SslProtocols = SslProtocols.Tls13;
        https.OnAuthenticate = (_, tls) =>
        {
            tls.AllowTlsResume = false;
            tls.CipherSuitesPolicy = OneSuite;
        };
    }

    private static RouteConfig Route(string name, string path) =>
        new() { RouteId = name, ClusterId = name, Match = new RouteMatch { Path = path } };

    private static ClusterConfig Cluster(string name, string address) =>
        new() { ClusterId = name, Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = address } } };

    private static readonly CipherSuitesPolicy OneSuite = new([TlsCipherSuite.TLS_AES_256_GCM_SHA384]);
}
