using System.Net;
using Aead;
using Ktls;
using Ktls.Handshake;

namespace TlsProxy.Config;

/// <summary>Parses "TlsProxy:Listeners" into what the transport listens on.</summary>
internal sealed class ListenerReader(string folder, bool mayWrite, ConfigReport report)
{
    private readonly Dictionary<IPEndPoint, string> _addresses = [];

    /// <summary>Those listeners that could be read to the end; the report tells about the others.</summary>
    public List<ListenerSettings> Read(Dictionary<string, ListenerOptions> listeners)
    {
        if (listeners.Count == 0)
        {
            report.Error("TlsProxy:Listeners", "is empty; add one, for example \"https\": { \"Address\": \"0.0.0.0:8443\" }.");
        }

        List<ListenerSettings> read = [];
        foreach ((string name, ListenerOptions options) in listeners)
        {
            if (Read(name, options, $"TlsProxy:Listeners:{name}") is { } listener)
            {
                read.Add(listener);
            }
        }

        return read;
    }

    private ListenerSettings? Read(string name, ListenerOptions options, string path)
    {
        UnavailableSettings.Refuse(options, path, report);
        IPEndPoint? address = ReadAddress(name, options.Address, $"{path}:Address");
        CheckLimits(options, path);

        List<ServerIdentity> identities = ReadIdentities(options, path);
        if (identities.Count == 0)
        {
            return null;
        }

        HandshakePolicy policy = HandshakePolicyReader.Read(options, new ServerIdentitySet(identities), path, report);
        if (policy.CipherSuites.Length > 0 && !identities.Exists(i => policy.CipherSuites.Any(s => CanServe(s, i))))
        {
            report.Error($"{path}:CipherSuites", $"no suite fits the certificates, whose keys are {identities[0].Kind}; add one that does.");
        }

        KernelPolicy kernel = ReadKernel(options.Kernel, $"{path}:Kernel");
        if (address is null || !report.IsValid)
        {
            return null;
        }

        IdentityTest.Run(policy, identities, $"{path}:Certificates", report);
        var endPoint = new TlsEndPoint(address, new TlsListenerOptions
        {
            Name = name,
            Handshake = policy,
            Kernel = kernel,
            HandshakeTimeout = options.HandshakeTimeout,
            MaxConnections = options.MaxConnections,
            MaxHandshakes = options.MaxHandshakes,
        });
        return new ListenerSettings(endPoint, identities, IsDevelopment: options.Certificates.Count == 0);
    }

    private IPEndPoint? ReadAddress(string name, string? text, string path)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            report.Error(path, "is missing; write ip:port, for example 0.0.0.0:8443.");
            return null;
        }

        if (ListenAddress.Parse(text, out string reason) is not { } address)
        {
            report.Error(path, reason);
            return null;
        }

        if (address.Port != 0 && !_addresses.TryAdd(address, name))
        {
            report.Error(path, $"{text} is already the address of listener '{_addresses[address]}'; give each listener its own port.");
        }

        return address;
    }

    private KernelPolicy ReadKernel(KernelOptions options, string path)
    {
        for (int i = 0; i < options.Accept.Count; i++)
        {
            string release = options.Accept[i];
            if (release.Any(char.IsWhiteSpace))
            {
                report.Error($"{path}:Accept:{i}", $"'{release}' is not a release; write what 'uname -r' prints.");
            }
        }

        if (options is { Transmit: KernelUse.Off, Receive: KernelUse.Off, Accept.Count: > 0 })
        {
            report.Error($"{path}:Accept", "has a meaning only where the kernel may be used, but both directions are Off; remove it.");
        }

        return new KernelPolicy { Transmit = options.Transmit, Receive = options.Receive, Accept = [.. options.Accept] };
    }

    private void CheckLimits(ListenerOptions options, string path)
    {
        if (options.HandshakeTimeout < HandshakeTimeoutMin || options.HandshakeTimeout > HandshakeTimeoutMax)
        {
            report.Error(
                $"{path}:HandshakeTimeout",
                $"{options.HandshakeTimeout:c} is out of range; write {HandshakeTimeoutMin:c} to {HandshakeTimeoutMax:c}.");
        }

        CheckCount(options.MaxConnections, $"{path}:MaxConnections");
        CheckCount(options.MaxHandshakes, $"{path}:MaxHandshakes");
    }

    private void CheckCount(int count, string path)
    {
        if (count < 1)
        {
            report.Error(path, $"{count} admits nobody; write 1 or more.");
        }
    }

    private List<ServerIdentity> ReadIdentities(ListenerOptions options, string path)
    {
        List<ServerIdentity> identities = [];
        if (options.Certificates.Count == 0)
        {
            Add(new DevelopmentCertificate(folder).Read(mayWrite, $"{path}:Certificates", report));
        }

        var reader = new CertificateReader(folder, report);
        for (int i = 0; i < options.Certificates.Count; i++)
        {
            Add(reader.Read(options.Certificates[i], $"{path}:Certificates:{i}"));
        }

        return identities;

        void Add(ServerIdentity? identity)
        {
            if (identity is not null)
            {
                identities.Add(identity);
            }
        }
    }

    private static bool CanServe(CipherSuite suite, ServerIdentity identity) =>
        suite.Certificate == CertificateKind.Any || suite.Certificate == identity.Kind;

    private static readonly TimeSpan HandshakeTimeoutMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HandshakeTimeoutMax = TimeSpan.FromMinutes(5);
}
