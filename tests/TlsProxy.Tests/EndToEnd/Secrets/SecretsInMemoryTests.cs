using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Aead;
using TestKit;
using TestKit.Origins;
using TestKit.Processes;
using TestKit.Secrets;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.Secrets;

/// <summary>What of keys and plaintext is left in the proxy's memory?</summary>
public sealed class SecretsInMemoryTests(BusyProxy busy) : IClassFixture<BusyProxy>
{
    [Fact]
    public void Table()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(busy.Report());
        File.WriteAllText("/tmp/sec/report.txt", busy.Report());
    }
}

/// <summary>A proxy that dozens of connections have used, and what its memory then holds.</summary>
public sealed class BusyProxy : IAsyncLifetime
{
    private readonly List<(string State, MarkedConnection Connection)> _connections = [];
    private readonly SecretSearch<Sought> _search = new();
    private readonly Dictionary<(string Source, Sought Sought, string Form, MemoryKind Kind), List<nint?>> _hits = [];
    private KestrelOrigin _origin = null!;
    private readonly StringBuilder _notes = new();

    internal sealed record Sought(string State, string What, string Name, MarkedConnection? Connection);

    public ProxyProcess Proxy { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _origin = await MarkedOrigin.StartAsync();
        Proxy = await ProxyProcess.StartAsync(new ProxySettings
        {
            Origins = new Dictionary<string, Uri> { [""] = _origin.Address },
            LogLevel = "Trace",
            Kernel = new Ktls.KernelPolicy { Transmit = Ktls.KernelUse.Off, Receive = Ktls.KernelUse.Off },
        });
        var watch = System.Diagnostics.Stopwatch.StartNew();
        await Task.Run(Play).WaitAsync(Timeouts.Bulk);
        Note($"played {watch.ElapsedMilliseconds} ms, {_connections.Count} connections");
        Note(string.Join(", ", _spent));
        await SettleAsync();
        Note($"settled {watch.ElapsedMilliseconds} ms");
        await Task.Run(Seek);
        Note($"pieces {_search.Count} {watch.ElapsedMilliseconds} ms");
        ProcessMemory memory = new(Proxy.Id);
        using (CoreFile core = await CoreFile.TakeAsync(Proxy.Id))
        {
            Note($"core {core.Bytes >> 20} MiB {watch.ElapsedMilliseconds} ms");
            core.Read((address, bytes) => _search.Scan(address, bytes, hit => Keep("core", hit, memory)));
        }

        Note($"core searched {watch.ElapsedMilliseconds} ms");
        long total = 0;
        memory.Read((address, bytes) =>
        {
            total += bytes.Length;
            _search.Scan(address, bytes, hit => Keep("mem", hit, memory));
        });
        Note($"memory {total >> 20} MiB searched {watch.ElapsedMilliseconds} ms");
    }

    public async ValueTask DisposeAsync()
    {
        _connections.ForEach(c => c.Connection.Dispose());
        await Proxy.DisposeAsync();
        await _origin.DisposeAsync();
    }

    public string Report()
    {
        StringBuilder text = new(_notes.ToString());
        foreach (var group in _hits.GroupBy(h => (h.Key.Source, h.Key.Sought.State, h.Key.Sought.What, h.Key.Form, h.Key.Kind)).OrderBy(g => g.Key.ToString(), StringComparer.Ordinal))
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{group.Key.Source,-5} {group.Key.State,-22} {group.Key.What,-18} {group.Key.Form,-14} {group.Key.Kind,-14} secrets {group.Select(h => h.Key.Sought).Distinct().Count(),4} places {group.Sum(h => h.Value.Count),6}  {string.Join(", ", group.Select(h => h.Key.Sought.Name).CountBy(n => n).OrderByDescending(n => n.Value).Take(5).Select(n => $"{n.Key} x{n.Value}"))} @ {string.Join(' ', group.SelectMany(g => g.Value).Take(3).Select(a => $"{a:x}"))} {group.First().Key.Sought.Connection}");
        }

        return text.ToString();
    }

    private readonly System.Diagnostics.Stopwatch _watch = System.Diagnostics.Stopwatch.StartNew();
    private readonly Dictionary<string, long> _spent = [];

    private void Note(string line) => _notes.AppendLine(line);

    private void Keep(string source, SecretHit<Sought> hit, ProcessMemory memory)
    {
        MemoryKind kind = hit.Address is { } address ? memory.KindAt(address) : MemoryKind.CoreNotes;
        if (!_hits.TryGetValue((source, hit.Sought, hit.Form, kind), out List<nint?>? places))
        {
            _hits.Add((source, hit.Sought, hit.Form, kind), places = []);
        }

        places.Add(hit.Address);
    }

    private static readonly int[] Groups = [0x001d, 0x0017, 0x0018, 0x11ec];

    private void Play()
    {
        int number = 0;
        List<KnowingOffer> offers = [];
        foreach (CipherSuite suite in CipherSuite.All)
        {
            foreach (CertificateKind kind in new[] { CertificateKind.Ecdsa, CertificateKind.Rsa }.Where(k => suite.Certificate == CertificateKind.Any || suite.Certificate == k))
            {
                foreach (bool http2 in new[] { false, true })
                {
                    int groups = suite.Version == TlsVersion.Tls13 ? 4 : 3;
                    offers.Add(new KnowingOffer(suite, kind, Groups[number++ % groups], http2));
                }
            }
        }

        foreach (KnowingOffer offer in offers)
        {
            Run("live idle", offer, c => c.Exchange(3000, 3000));
        }

        foreach (KnowingOffer offer in offers.Where((_, i) => i % 3 == 0))
        {
            Run("live upload", offer, c => c.BeginUpload(40_000));
        }

        foreach (KnowingOffer offer in offers.Where(o => o.Suite.Version == TlsVersion.Tls13))
        {
            Run("live updated", offer, c => c.UpdateKeys());
            Run("closed updated", offer, c => { c.UpdateKeys(); c.Client.Close(); });
        }

        foreach (KnowingOffer offer in offers)
        {
            Run("closed clean", offer, c => { c.Exchange(100, 100); c.Exchange(30_000, 30_000); c.Client.Close(); });
            Run("closed reset", offer, c => { c.Exchange(3000, 3000); c.Client.Reset(); });
            Run("closed reset in upload", offer, c => { c.BeginUpload(40_000); Thread.Sleep(5); c.Client.Reset(); });
            Run("closed tampered", offer, c => { c.Exchange(100, 100); c.BeginUpload(40_000); c.Client.TamperWithNext(); c.Client.Send("x"u8); Drain(c); });
            Run("closed refused", offer with { DistrustsServer = true }, c => { });
        }
    }

    private static void Drain(MarkedConnection connection)
    {
        try
        {
            while (!connection.Client.Receive().IsEmpty)
            {
            }
        }
        catch (IOException)
        {
        }
    }

    private void Run(string state, KnowingOffer offer, Action<MarkedConnection> act)
    {
        long begun = _watch.ElapsedMilliseconds;
        MarkedConnection connection = new(Proxy.Port, offer);
        _connections.Add((state, connection));
        try
        {
            connection.Handshake();
        }
        catch (IOException) when (offer.DistrustsServer)
        {
            connection.Client.Reset();
            return;
        }

        long handshake = _watch.ElapsedMilliseconds;
        act(connection);
        _spent[state] = _spent.GetValueOrDefault(state) + _watch.ElapsedMilliseconds - handshake;
        _spent["handshake"] = _spent.GetValueOrDefault("handshake") + handshake - begun;
        if (state.StartsWith("closed", StringComparison.Ordinal))
        {
            connection.Dispose();
        }
    }

    private async Task SettleAsync() => await Task.Delay(1500);

    private void Seek()
    {
        foreach ((string state, MarkedConnection connection) in _connections)
        {
            bool closed = state.StartsWith("closed", StringComparison.Ordinal);
            foreach (ConnectionSecret secret in connection.Secrets)
            {
                string s = closed ? state : secret.IsLive ? state : "gone of " + state;
                Sought sought = new(s, secret.Kind.ToString(), secret.Name, connection);
                _search.Add(sought, "plain", secret.Bytes);
                if (secret.Bytes.Length >= 32)
                {
                    _search.Add(sought, "hmac ipad", [.. secret.Bytes.Select(b => (byte)(b ^ 0x36))]);
                    _search.Add(sought, "hmac opad", [.. secret.Bytes.Select(b => (byte)(b ^ 0x5c))]);
                }
            }

            foreach ((string name, byte[] bytes) in connection.Plaintext)
            {
                Sought sought = new(state, "plaintext", name, connection);
                if (name.Contains("header", StringComparison.Ordinal))
                {
                    _search.Add(sought, "text", bytes, 16);
                    _search.Add(sought, "utf16", Encoding.Unicode.GetBytes(Encoding.ASCII.GetString(bytes)), 32);
                }
                else
                {
                    _search.Add(sought, "plain", bytes);
                }
            }
        }

        KeyForms.AddTo(_search, Proxy.Certificates.EcdsaKeyFile, part => new Sought("certificate", "ecdsa", part, null));
        KeyForms.AddTo(_search, Proxy.Certificates.RsaKeyFile, part => new Sought("certificate", "rsa", part, null));
    }
}
