using System.Security.Cryptography;
using TestKit.Secrets;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.Secrets;

/// <summary>
/// What of keys and plaintext does a core of the proxy hold (taken by root, for it writes none itself), and what its memory altogether, with
/// the pages that may not be dumped or read?
/// </summary>
[Collection(BusyProxyDefinition.Name)]
[Trait("Claim", "C5")]
public sealed class SecretsInMemoryTests(BusyProxy busy)
{
    /// <summary>Neither of connections that ended, in whatever way, nor of what a living one has done with: handshakes, keys before a KeyUpdate.</summary>
    [Fact]
    public void NoSecretOutlivesItsUse() => AssertNone(f => IsSecret(f) && !f.Sought.IsLive);

    [Fact]
    public void KeysInUseLieInTheHeapOfLibcryptoAlone() =>
        AssertNone(f => f.Sought is { IsLive: true, Kind: nameof(SecretKind.Key) } && (f.Place != MemoryKind.NativeHeap || f.Form != "bytes"));

    /// <summary>KeyUpdate needs the traffic secret, so it is kept once, where the collector does not move it.</summary>
    [Fact]
    public void TrafficSecretsInUseLieInOnePinnedArrayEach()
    {
        AssertNone(f => f.Sought is { IsLive: true, Kind: nameof(SecretKind.Secret) } && (!f.IsPinned || f.Form != "bytes"));
        foreach ((Finding finding, int places) in busy.Findings.Where(f => f.Key.Sought is { IsLive: true, Kind: nameof(SecretKind.Secret) }))
        {
            // A piece at every eighth byte of 32 or 48.
            Assert.True(places == finding.Sought.Connection!.Client.Offer.Suite.Hash.Name switch { "SHA384" => 6, _ => 4 }, $"{finding}: {places} pieces");
        }
    }

    [Fact]
    public void IvsInUseLieBesideThem() =>
        AssertNone(f => f.Sought is { IsLive: true, Kind: nameof(SecretKind.Iv) } && !f.IsPinned && f.Place != MemoryKind.NativeHeap);

    /// <summary>As OpenSSL's numbers; not as PEM, DER, .NET's parameters or BouncyCastle's numbers.</summary>
    [Fact]
    public void PrivateKeysOfCertificatesLieInTheHeapOfLibcryptoAlone() =>
        AssertNone(f => f.Sought.State == BusyProxy.Certificate && (f.Place != MemoryKind.NativeHeap || f.Form != "little-endian"));

    /// <summary>
    /// What of plaintext is left lies where neither this program nor Kestrel's pool keeps any: on the managed heap outside pinned arrays, in
    /// registers, on stacks, and in malloc's heap, though there no more of one mark than a register holds (docs/threat-model.md).
    /// </summary>
    [Fact]
    public void PlaintextOfClosedConnectionsIsLeftInNothingOfOurs() => AssertNone(f => f.Sought is { IsLive: false, Kind: BusyProxy.Plaintext } && f.Place switch
    {
        MemoryKind.CoreNotes or MemoryKind.Stack => false,
        MemoryKind.ManagedHeap => f.IsPinned,
        MemoryKind.NativeHeap => busy.Findings[f] > RegisterPieces,
        _ => true,
    });

    /// <summary>The search finds what is there: every key in use, in the core as well as in memory.</summary>
    [Fact]
    public void EveryKeyInUseIsFound()
    {
        foreach (bool inCore in new[] { true, false })
        {
            HashSet<Sought> found = [.. busy.Findings.Keys.Where(f => f.InCore == inCore).Select(f => f.Sought)];
            Sought[] inUse = [.. busy.All.Select(a => a.Sought)
                .Where(s => s is { IsLive: true, Kind: nameof(SecretKind.Key) or nameof(SecretKind.Secret) })];
            Assert.True(inUse.Length >= 60, $"Only {inUse.Length} keys and traffic secrets are in use.");
            Assert.Equal([], inUse.Where(sought => !found.Contains(sought)).Select(sought => $"{sought.Name} of {sought.Connection}"));
            Assert.Equal(["d", "d", "dp", "dq", "p", "q", "qinv"],
                found.Where(s => s.State == BusyProxy.Certificate && s.Name != "PEM").Select(s => s.Name).Order(StringComparer.Ordinal));
            Assert.Contains(found, s => s is { State: "live, uploading", Kind: BusyProxy.Plaintext });
        }

        int gone = busy.All.Count(a => a.Sought is { IsLive: false, Kind: not BusyProxy.Plaintext });
        Assert.True(gone >= 900, $"Only {gone} secrets are over.");
    }

    /// <summary>The search finds a single piece of a secret wherever it begins, and every form of a private key.</summary>
    [Fact]
    public void APlantedSecretIsFound()
    {
        byte[] secret = RandomNumberGenerator.GetBytes(48);
        SecretSearch<string> search = new();
        search.Add("planted", "bytes", secret);
        KeyForms.AddTo(search, busy.KeyFiles.Rsa, part => part);
        byte[] memory = new byte[3 * 4096];
        foreach (int at in new[] { 0, 1, 4090, 4096 + 13, memory.Length - 8 })
        {
            memory.AsSpan().Clear();
            secret.AsSpan(16, 8).CopyTo(memory.AsSpan(at));
            Assert.Equal([at], Addresses(search, memory));
        }

        string pem = File.ReadAllText(busy.KeyFiles.Rsa);
        Assert.NotEmpty(Addresses(search, System.Text.Encoding.ASCII.GetBytes(pem)));
        Assert.NotEmpty(Addresses(search, System.Text.Encoding.Unicode.GetBytes(pem)));
        foreach ((string name, byte[] number) in KeyForms.PrivateNumbers(pem))
        {
            Assert.NotEmpty(Addresses(search, number));
            Assert.NotEmpty(Addresses(search, [.. number.Reverse()]));
            Assert.NotEmpty(Addresses(search, [.. number.Chunk(4).SelectMany(word => word.Reverse())]));
        }
    }

    private static List<int> Addresses(SecretSearch<string> search, byte[] memory)
    {
        List<int> found = [];
        search.Scan(0, memory, hit => found.Add((int)hit.Address!.Value));
        return found;
    }

    private static bool IsSecret(Finding finding) => finding.Sought is { Kind: not BusyProxy.Plaintext, State: not BusyProxy.Certificate };

    private void AssertNone(Func<Finding, bool> isForbidden)
    {
        string[] forbidden = [.. busy.Findings.Keys.Where(isForbidden).Select(f => f.ToString())];
        Assert.True(forbidden.Length == 0, $"{string.Join('\n', forbidden.Take(20))}\n{forbidden.Length} in all.\n{busy.Table()}");
    }

    // The largest vector register has 64 bytes; a piece is eight.
    private const int RegisterPieces = 8;
}
