using System.Security.Cryptography;
using Ktls.Handshake;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using TestKit;
using TestKit.Secrets;
using Xunit;

namespace Ktls.Tests.Handshake;

/// <summary>What do the derivations of a handshake leave in OpenSSL's heap?</summary>
[Trait("Claim", "C5")]
public class PlatformSecretTests
{
    /// <summary>HKDF-Extract ends the secret that is its salt: in TLS 1.3 "derived", from which the traffic secrets follow.</summary>
    [Theory]
    [InlineData(CryptoHashAlgorithm.sha256, SHA256.HashSizeInBytes)]
    [InlineData(CryptoHashAlgorithm.sha384, SHA384.HashSizeInBytes)]
    public void No_derivation_leaves_its_input_or_output_in_the_native_heap(int hash, int length) => Assert.Equal([], FoundAfter(seek =>
    {
        using PlatformCrypto crypto = new(new HandshakeFraming(), useLibCrypto: true);
        byte[] salt = Random("salt", length, seek);
        byte[] input = Random("input", length, seek);
        TlsSecret extracted = crypto.CreateSecret(salt).HkdfExtract(hash, crypto.CreateSecret(input));
        TlsSecret expanded = extracted.HkdfExpand(hash, [0, 32, 7, .. "tls13 x"u8, 0], length);
        seek("extracted", extracted.Extract());
        seek("expanded", expanded.Extract());
    }));

    [Theory]
    [InlineData(PrfAlgorithm.tls_prf_sha256)]
    [InlineData(PrfAlgorithm.tls_prf_sha384)]
    public void Nor_does_the_prf_of_tls12(int prf) => Assert.Equal([], FoundAfter(seek =>
    {
        using PlatformCrypto crypto = new(new HandshakeFraming(), useLibCrypto: true);
        byte[] seed = RandomNumberGenerator.GetBytes(64);
        TlsSecret master = crypto.CreateSecret(Random("pre-master", 48, seek)).DeriveUsingPrf(prf, "master secret", seed, 48);
        TlsSecret block = master.DeriveUsingPrf(prf, "key expansion", seed, 88);
        seek("master", master.Extract());
        seek("key block", block.Extract());
    }));

    /// <summary>The search can fail: OpenSSL's own HKDF-Extract leaves what its salt was.</summary>
    [Fact]
    public void A_salt_that_OpenSSL_frees_is_found() => Assert.Equal(["salt"], FoundAfter(seek =>
    {
        byte[] input = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);
        HKDF.Extract(HashAlgorithmName.SHA256, input, Random("salt", SHA256.HashSizeInBytes, seek));
    }));

    // Freed memory goes to whoever asks next, so each thread derives once and then waits until the search is over.
    private static SortedSet<string> FoundAfter(Action<Action<string, byte[]>> derive)
    {
        SecretSearch<string> search = new();
        using CountdownEvent derived = new(Threads);
        using ManualResetEventSlim searched = new();
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            derive((name, bytes) =>
            {
                lock (search)
                {
                    search.Add(name, "bytes", bytes);
                }
            });
            derived.Signal();
            searched.Wait();
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Assert.True(derived.Wait(Timeouts.Exchange));
        SortedSet<string> found = FoundInNativeHeap(search);
        searched.Set();
        Array.ForEach(threads, thread => thread.Join());
        return found;
    }

    private static SortedSet<string> FoundInNativeHeap(SecretSearch<string> search)
    {
        SortedSet<string> found = [];
        ProcessMemory memory = new(Environment.ProcessId);
        memory.Read((address, bytes) => search.Scan(address, bytes, hit =>
        {
            if (memory.KindAt(hit.Address!.Value) == MemoryKind.NativeHeap)
            {
                found.Add(hit.Sought);
            }
        }));
        return found;
    }

    private static byte[] Random(string name, int length, Action<string, byte[]> seek)
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(length);
        seek(name, bytes);
        return bytes;
    }

    private const int Threads = 16;
}
