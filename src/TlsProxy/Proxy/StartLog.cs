using System.Net;
using Aead.Pages;
using Ktls;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using TlsProxy.Config;

namespace TlsProxy.Proxy;

/// <summary>
/// The lines of start and stop: what is listening, with which certificates, how data is protected, and when
/// it ends.
/// </summary>
internal sealed partial class StartLog
{
    private readonly ILogger _logger;
    private readonly IServiceProvider _services;

    public StartLog(IServiceProvider services)
    {
        _services = services;
        _logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("TlsProxy");
        IHostApplicationLifetime lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        lifetime.ApplicationStopping.Register(() => Draining(ProxyHost.DrainTimeout.TotalSeconds));
        lifetime.ApplicationStopped.Register(Stopped);
    }

    public void Write(ProxySettings settings, PagePoolStatus pool, IEnumerable<string> warnings, IEnumerable<string> notes)
    {
        ConfigurationRead(settings.Source);
        string[] bound = [.. _services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? []];
        for (int i = 0; i < settings.Listeners.Count; i++)
        {
            WriteListener(settings.Listeners[i], i < bound.Length ? bound[i] : null, settings.Folder);
        }

        string threshold = DescribeThreshold(settings.Pages);
        Pages(settings.Pages.Delivery, threshold, pool.SlotsMax, pool.SlotBytes >> 10, pool.BytesLocked >> 10);
        if (pool.Notice is not null)
        {
            Warning(pool.Notice);
        }

        foreach (string warning in warnings)
        {
            Warning(warning);
        }

        foreach (string note in notes)
        {
            Note(note);
        }
    }

    private void WriteListener(ListenerSettings listener, string? bound, string folder)
    {
        IPEndPoint endPoint = listener.EndPoint;

        // Port 0 became some port, which Kestrel knows. It takes us for http because no middleware of its own
        // does TLS.
        int port = bound is null ? endPoint.Port : new Uri(bound.Replace("*", "localhost", StringComparison.Ordinal)).Port;
        string url = $"https://{new IPEndPoint(endPoint.Address, port)}/";
        Listening(url, listener.EndPoint.Options.Name);
        KernelTls kernel = _services.GetRequiredService<KernelTls>();
        string transmit = kernel.DescribeTransmit(listener.EndPoint.Options);
        string receive = kernel.DescribeReceive(listener.EndPoint.Options);
        RecordLayers(transmit, receive);
        foreach (Ktls.Handshake.ServerIdentity identity in listener.Identities)
        {
            string names = string.Join(", ", identity.ServerNames);
            Certificate(names, identity.Kind, identity.NotAfter);
        }

        if (listener.IsDevelopment)
        {
            var certificate = new DevelopmentCertificate(folder);
            Development(certificate.AuthorityFile, port);
        }
    }

    private static string DescribeThreshold(PagePolicy pages) =>
        pages.FlipThreshold == PagePolicy.NeverFlip ? "never" : $"{pages.FlipThreshold} bytes";

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "configuration: {Source}")]
    private partial void ConfigurationRead(string source);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "listening on {Url} (listener {Name})")]
    private partial void Listening(string url, string name);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "certificate for {Names} ({Kind}), valid until {NotAfter:u}")]
    private partial void Certificate(string names, Aead.CertificateKind kind, DateTimeOffset notAfter);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "development certificate; try: curl --cacert {File} https://localhost:{Port}/")]
    private partial void Development(string file, int port);

    [LoggerMessage(EventId = 5, Level = LogLevel.Information, Message = "record layers: transmit: {Transmit}; receive: {Receive}")]
    private partial void RecordLayers(string transmit, string receive);

    [LoggerMessage(
        EventId = 6, Level = LogLevel.Information,
        Message = "pages: delivery {Delivery}, n* {Threshold}, at most {Slots} slots of {SlotKiB} KiB, {LockedKiB} KiB locked now")]
    private partial void Pages(Delivery delivery, string threshold, int slots, int slotKiB, long lockedKiB);

    [LoggerMessage(EventId = 7, Level = LogLevel.Warning, Message = "{Sentence}")]
    private partial void Warning(string sentence);

    [LoggerMessage(EventId = 8, Level = LogLevel.Information, Message = "stopping: no new connections, up to {Seconds} s for requests in flight")]
    private partial void Draining(double seconds);

    [LoggerMessage(EventId = 9, Level = LogLevel.Information, Message = "stopped")]
    private partial void Stopped();

    [LoggerMessage(EventId = 10, Level = LogLevel.Information, Message = "{Sentence}")]
    private partial void Note(string sentence);
}
