using System.Globalization;
using System.Text;
using Aead;
using Ktls;
using TestKit;
using TestKit.Origins;
using TestKit.Processes;
using TestKit.Secrets;
using Xunit;
using NamedGroup = Org.BouncyCastle.Tls.NamedGroup;

namespace TlsProxy.Tests.EndToEnd.Secrets;

/// <summary>Something looked for, and whose it is.</summary>
internal sealed record Sought(string State, string Kind, string Name, bool IsLive, MarkedConnection? Connection);

/// <summary>Where it was found: in the core or in all memory, in which form, and what lies there.</summary>
internal sealed record Finding(bool InCore, Sought Sought, string Form, MemoryKind Place, bool IsPinned)
{
    public override string ToString() =>
        $"{(InCore ? "core" : "memory")}: {Sought.Kind} \"{Sought.Name}\" of {Sought.State} ({Sought.Connection}), as {Form}, in {Place}{(IsPinned ? ", pinned" : "")}";
}

/// <summary>A proxy that dozens of connections have used, some of which still live; its core and its memory are searched once for all tests.</summary>
public sealed class BusyProxy : IAsyncLifetime
{
    private readonly List<(string State, MarkedConnection Connection)> _connections = [];
    private readonly SecretSearch<Sought> _search = new();
    private readonly Dictionary<Finding, int> _findings = [];
    private readonly TemporaryDirectory _folder = new();
    private KestrelOrigin _origin = null!;
    private ProxyProcess _proxy = null!;

    /// <summary>What the proxy wrote, at level Trace.</summary>
    public string Log => _proxy.Output;

    /// <summary>What SSLKEYLOGFILE named.</summary>
    public string KeyLogFile => _folder.File("keys.log");

    /// <summary>All that was found, with the number of places.</summary>
    internal IReadOnlyDictionary<Finding, int> Findings => _findings;

    /// <summary>All that was looked for.</summary>
    internal IReadOnlyList<(Sought Sought, byte[] Bytes)> All { get; private set; } = [];

    internal (string Ecdsa, string Rsa) KeyFiles => (_proxy.Certificates.EcdsaKeyFile, _proxy.Certificates.RsaKeyFile);

    public async ValueTask InitializeAsync()
    {
        _origin = await MarkedOrigin.StartAsync();
        _proxy = await ProxyProcess.StartAsync(new ProxySettings
        {
            Origins = new Dictionary<string, Uri> { [""] = _origin.Address },
            LogsEverything = true,
            Environment = new Dictionary<string, string> { ["SSLKEYLOGFILE"] = KeyLogFile },
            Kernel = new KernelPolicy { Transmit = KernelUse.Off, Receive = KernelUse.Off },
        });
        await Task.Run(Play).WaitAsync(Timeouts.Bulk);
        await Task.Run(() =>
        {
            All = [.. Everything()];
            foreach ((Sought sought, byte[] bytes) in All)
            {
                Seek(sought, bytes);
            }

            KeyForms.AddTo(_search, KeyFiles.Ecdsa, part => new Sought(Certificate, "ecdsa", part, true, null));
            KeyForms.AddTo(_search, KeyFiles.Rsa, part => new Sought(Certificate, "rsa", part, true, null));
        });
        await SettleAsync();
        await LookAsync();
        TestContext.Current.SendDiagnosticMessage(Table());
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((_, MarkedConnection connection) in _connections)
        {
            connection.Dispose();
        }

        await _proxy.DisposeAsync();
        await _origin.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>All findings in one table, for whoever reads a failure.</summary>
    public string Table()
    {
        StringBuilder table = new();
        foreach (var row in _findings.GroupBy(f => (f.Key.InCore, f.Key.Sought.State, f.Key.Sought.IsLive, f.Key.Sought.Kind, f.Key.Form, f.Key.Place, f.Key.IsPinned))
            .OrderBy(row => row.Key.ToString(), StringComparer.Ordinal))
        {
            table.AppendLine(CultureInfo.InvariantCulture,
                $"{(row.Key.InCore ? "core" : "memory"),-7}{row.Key.State,-26}{(row.Key.IsLive ? "live" : "gone"),-6}{row.Key.Kind,-12}{row.Key.Form,-14}"
                + $"{row.Key.Place}{(row.Key.IsPinned ? ", pinned" : ""),-20}{row.Select(f => f.Key.Sought).Distinct().Count(),5} sought {row.Sum(f => f.Value),7} places");
        }

        return table.ToString();
    }

    // Live ones first, so that nothing they do overwrites what the closed ones leave.
    private void Play()
    {
        KnowingOffer[] offers = [.. Offers()];
        foreach ((int i, KnowingOffer offer) in offers.Index())
        {
            if (i % 2 == 0)
            {
                Run("live, idle", offer, c => c.Exchange(3000, 3000));
            }

            if (i % 6 == 1)
            {
                Run("live, uploading", offer, c => c.BeginUpload(40_000));
            }

            if (offer.Suite.Version == TlsVersion.Tls13 && i % 2 == 1)
            {
                Run("live, updated", offer, c => c.UpdateKeys());
            }
        }

        foreach ((int i, KnowingOffer offer) in offers.Index())
        {
            Action<MarkedConnection>[] ends =
            [
                c => c.Client.Close(),
                c => c.Client.Reset(),
                c => c.Client.Finish(),
            ];
            string[] names = ["closed", "closed by a reset", "closed by a FIN"];
            Run(names[i % 3], offer, c =>
            {
                c.Exchange(100, 100);
                c.Exchange(30_000, 30_000);
                if (offer.Suite.Version == TlsVersion.Tls13)
                {
                    c.UpdateKeys();
                }

                ends[i % 3](c);
            });
            if (i % 2 == 0)
            {
                Run("closed, refused a record", offer, c => { c.BeginUpload(40_000); c.SendTampered(); });
            }
            else
            {
                Run("closed in an upload", offer, c => { c.BeginUpload(40_000); c.Client.Reset(); });
            }

            if (i % 3 == 1)
            {
                Run("closed in its handshake", offer with { DistrustsServer = true }, _ => { });
            }
        }
    }

    // Every suite with every kind of certificate, every HTTP version, every group.
    private static IEnumerable<KnowingOffer> Offers()
    {
        int[] groups = [NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.X25519MLKEM768, NamedGroup.x25519, NamedGroup.secp384r1];
        int number = 0;
        foreach (CipherSuite suite in CipherSuite.All)
        {
            foreach (CertificateKind kind in new[] { CertificateKind.Ecdsa, CertificateKind.Rsa })
            {
                if (suite.Certificate != CertificateKind.Any && suite.Certificate != kind)
                {
                    continue;
                }

                foreach (bool http2 in new[] { false, true })
                {
                    int group = groups[number++ % groups.Length];
                    bool isOf13Alone = group == NamedGroup.X25519MLKEM768;
                    yield return new KnowingOffer(suite, kind, isOf13Alone && suite.Version == TlsVersion.Tls12 ? NamedGroup.x25519 : group, http2);
                }
            }
        }
    }

    private void Run(string state, KnowingOffer offer, Action<MarkedConnection> act)
    {
        MarkedConnection connection = new(_proxy.Port, offer);
        _connections.Add((state, connection));
        if (offer.DistrustsServer)
        {
            Assert.ThrowsAny<IOException>(connection.Handshake);
        }
        else
        {
            connection.Handshake();
            act(connection);
        }

        if (!IsLive(state))
        {
            connection.Dispose();
        }
    }

    // Until the proxy has closed its end of all that were closed: two sockets for each that lives, at most a few for the origin.
    private async Task SettleAsync()
    {
        int live = _connections.Count(c => IsLive(c.State));
        using CancellationTokenSource patience = new(Timeouts.Program);
        while (Sockets() > live)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), patience.Token);
        }

        // The last continuations of the last connection.
        await Task.Delay(TimeSpan.FromMilliseconds(1000));
    }

    // proc_net(5): local address and port in hexadecimal; 01 is established, 0A listens.
    private int Sockets() => File.ReadLines("/proc/net/tcp").Count(line =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var local, _, var state, _, _, _, _, _, not "0", ..]
        && state != "0A" && local.EndsWith($":{_proxy.Port:X4}", StringComparison.Ordinal));

    private async Task LookAsync()
    {
        ProcessMemory memory = new(_proxy.Id);
        List<(bool InCore, SecretHit<Sought> Hit)> hits = [];
        await Task.Run(() => memory.Read((address, bytes) => _search.Scan(address, bytes, hit => hits.Add((false, hit)))));
        using CoreFile core = await CoreFile.TakeAsync(_proxy.Id);
        await Task.Run(() => core.Read((address, bytes) => _search.Scan(address, bytes, hit => hits.Add((true, hit)))));

        // The collector's region of pinned arrays is the one in which the keys' own arrays lie.
        nint pinned = hits.Where(h => h.Hit.Sought is { IsLive: true, Kind: nameof(SecretKind.Secret) }
            && h.Hit.Address is { } address && memory.KindAt(address) == MemoryKind.ManagedHeap).Min(h => h.Hit.Address!.Value) & -RegionAlignment;
        foreach ((bool inCore, SecretHit<Sought> hit) in hits)
        {
            MemoryKind place = hit.Address is { } address ? memory.KindAt(address) : MemoryKind.CoreNotes;
            bool isPinned = place == MemoryKind.ManagedHeap && hit.Address >= pinned && hit.Address < pinned + RegionBytes;
            Finding finding = new(inCore, hit.Sought, hit.Form, place, isPinned);
            _findings[finding] = _findings.GetValueOrDefault(finding) + 1;
        }
    }

    private void Seek(Sought sought, byte[] bytes)
    {
        if (sought.Kind == Plaintext && sought.Name.EndsWith("header", StringComparison.Ordinal))
        {
            _search.Add(sought, "bytes", bytes, 16);
            _search.Add(sought, "string", Encoding.Unicode.GetBytes(Encoding.ASCII.GetString(bytes)), 32);
            return;
        }

        _search.Add(sought, "bytes", bytes);
        if (sought.Kind == nameof(SecretKind.Secret))
        {
            // RFC 2104: what HMAC makes of its key.
            _search.Add(sought, "HMAC inner", [.. bytes.Select(b => (byte)(b ^ 0x36))]);
            _search.Add(sought, "HMAC outer", [.. bytes.Select(b => (byte)(b ^ 0x5c))]);
        }
    }

    // What several connections have in common comes of strings of zeros (RFC 8446 §7.1) and is no secret.
    private IEnumerable<(Sought Sought, byte[] Bytes)> Everything()
    {
        var secrets = _connections.SelectMany(c => c.Connection.Secrets.Select(secret => (c.State, c.Connection, Secret: secret))).ToList();
        HashSet<string> common = [.. secrets.CountBy(s => Convert.ToHexString(s.Secret.Bytes)).Where(s => s.Value > 1).Select(s => s.Key)];
        foreach ((string state, MarkedConnection connection, ConnectionSecret secret) in secrets.Where(s => !common.Contains(Convert.ToHexString(s.Secret.Bytes))))
        {
            yield return (new Sought(state, secret.Kind.ToString(), secret.Name, secret.IsLive && IsLive(state), connection), secret.Bytes);
        }

        foreach ((string state, MarkedConnection connection) in _connections)
        {
            foreach ((string name, byte[] bytes) in connection.Plaintext)
            {
                yield return (new Sought(state, Plaintext, name, IsLive(state), connection), bytes);
            }
        }
    }

    private static bool IsLive(string state) => state.StartsWith("live", StringComparison.Ordinal);

    internal const string Plaintext = "plaintext";
    internal const string Certificate = "certificate";

    // Of .NET's collector: regions begin at multiples of 4 MiB; those of pinned and large objects are eight times that.
    private const nint RegionAlignment = 4 << 20;
    private const nint RegionBytes = 32 << 20;
}

/// <summary>Shares one busy proxy: making and searching it takes half a minute.</summary>
[CollectionDefinition(Name)]
public sealed class BusyProxyDefinition : ICollectionFixture<BusyProxy>
{
    public const string Name = "Busy proxy";
}
