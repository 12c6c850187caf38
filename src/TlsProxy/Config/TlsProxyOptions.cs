using Ktls;

namespace TlsProxy.Config;

// The text form of the configuration, property for property. StrictBinder fills it and knows the allowed keys
// from it; the readers beside it parse it into what the rooms below take. Settings whose feature does not
// exist yet are here too, so that UnavailableSettings can refuse them by name.

/// <summary>The section "TlsProxy".</summary>
internal sealed class TlsProxyOptions
{
    /// <summary>By name; the name appears in logs. At least one.</summary>
    public Dictionary<string, ListenerOptions> Listeners { get; set; } = [];

    /// <summary>The pages that hold decrypted data.</summary>
    public PageOptions Pages { get; set; } = new();

    /// <summary>Not available yet. Defaults to absent.</summary>
    public AdminOptions? Admin { get; set; }
}

/// <summary>One address to listen on.</summary>
internal sealed class ListenerOptions
{
    /// <summary>ip:port or [ipv6]:port. Required.</summary>
    public string? Address { get; set; }

    /// <summary>Defaults to Http, the only mode available.</summary>
    public ListenerMode Mode { get; set; } = ListenerMode.Http;

    /// <summary>Not available yet. Defaults to null.</summary>
    public string? Cluster { get; set; }

    /// <summary>Not available yet. Defaults to empty.</summary>
    public Dictionary<string, string> SniClusters { get; set; } = [];

    /// <summary>
    /// The first one answers clients that ask for an unknown name or none. Defaults to a generated
    /// development certificate.
    /// </summary>
    public List<CertificateOptions> Certificates { get; set; } = [];

    /// <summary>"1.2" or "1.3". Defaults to "1.2".</summary>
    public string MinimumTls { get; set; } = "1.2";

    /// <summary>IANA names in order of preference. Defaults to every suite there is.</summary>
    public List<string> CipherSuites { get; set; } = [];

    /// <summary>Key exchange groups in order of preference. Defaults to every group there is.</summary>
    public List<string> Groups { get; set; } = [];

    /// <summary>Application protocols in order of preference. Defaults to h2, http/1.1.</summary>
    public List<string> Alpn { get; set; } = [];

    /// <summary>Not available yet: only Mode None. Defaults to None.</summary>
    public ClientCertificateOptions ClientCertificates { get; set; } = new();

    /// <summary>Not available yet: absent or Enabled false. Defaults to false.</summary>
    public SessionTicketOptions SessionTickets { get; set; } = new();

    /// <summary>Not available yet: only Off. Defaults to Off.</summary>
    public ProxyProtocolMode ProxyProtocol { get; set; } = ProxyProtocolMode.Off;

    /// <summary>Which directions are given to the kernel. Defaults to Auto for both.</summary>
    public KernelOptions Kernel { get; set; } = new();

    /// <summary>From accept to Finished, 1 second to 5 minutes. Defaults to 10 seconds.</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Connections open at once. Defaults to 100 000.</summary>
    public int MaxConnections { get; set; } = 100_000;

    /// <summary>Handshakes in flight at once. Defaults to 1 000.</summary>
    public int MaxHandshakes { get; set; } = 1_000;
}

internal enum ListenerMode
{
    Http,
    Tcp,
    Passthrough,
}

/// <summary>A chain and its key.</summary>
internal sealed class CertificateOptions
{
    /// <summary>A PEM file, leaf first, or a PKCS#12 (PFX) file with chain and key. Required.</summary>
    public string? Certificate { get; set; }

    /// <summary>The PEM file of the private key. Defaults to the Certificate file itself.</summary>
    public string? Key { get; set; }

    /// <summary>Of an encrypted key or PFX file. Defaults to none.</summary>
    public string? Password { get; set; }

    /// <summary>
    /// Exact names or *.one-label wildcards. Defaults to the certificate's subject alternative names.
    /// </summary>
    public List<string> ServerNames { get; set; } = [];
}

internal sealed class ClientCertificateOptions
{
    public ClientCertificateMode Mode { get; set; } = ClientCertificateMode.None;

    public string? TrustedRoots { get; set; }

    public ClientCertificateForwarding Forward { get; set; } = ClientCertificateForwarding.None;
}

internal enum ClientCertificateMode
{
    None,
    Request,
    Require,
}

internal enum ClientCertificateForwarding
{
    None,
    Rfc9440,
}

internal sealed class SessionTicketOptions
{
    public bool Enabled { get; set; }
}

internal enum ProxyProtocolMode
{
    Off,
    V1,
    V2,
    Any,
}

/// <summary>The text form of <see cref="KernelPolicy"/>.</summary>
internal sealed class KernelOptions
{
    /// <summary>Auto, On or Off. Defaults to Auto.</summary>
    public KernelUse Transmit { get; set; } = KernelUse.Auto;

    /// <summary>Auto, On or Off. Defaults to Auto.</summary>
    public KernelUse Receive { get; set; } = KernelUse.Auto;

    /// <summary>Releases as "uname -r" prints them, for which the floors are waived. Defaults to none.</summary>
    public List<string> Accept { get; set; } = [];
}

/// <summary>The text form of <see cref="Aead.Pages.PagePolicy"/>.</summary>
internal sealed class PageOptions
{
    /// <summary>Auto, Flip or Copy. Defaults to Auto.</summary>
    public Aead.Pages.Delivery Delivery { get; set; } = Aead.Pages.Delivery.Auto;

    /// <summary>n*: the batch in bytes from which Auto flips. Defaults to null: never.</summary>
    public int? FlipThreshold { get; set; }

    /// <summary>
    /// Bound of the guarded slots, and again of the verified copies, in MiB. Defaults to 256.
    /// </summary>
    public int MaxMegabytes { get; set; } = 256;

    /// <summary>BestEffort or Required. Defaults to BestEffort.</summary>
    public Aead.Pages.Locking Locking { get; set; } = Aead.Pages.Locking.BestEffort;
}

internal sealed class AdminOptions
{
    public string? Address { get; set; }
}

/// <summary>The section "Logging".</summary>
internal sealed class LoggingOptions
{
    /// <summary>
    /// The least level by category; "Default" for all others. Defaults to Information, and Warning for
    /// Microsoft and Yarp.
    /// </summary>
    public Dictionary<string, LogLevel> LogLevel { get; set; } = [];
}
