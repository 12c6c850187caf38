using System.Security.Cryptography;
using Aead.Algorithms;
using Xunit;

namespace Aead.Tests.Algorithms;

public sealed class EvpAeadTests
{
    public static TheoryData<string> Algorithms => [.. PlatformAead.Rows.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Any_changed_bit_is_refused_leaves_zeros_and_spoils_nothing(string name)
    {
        using Sealed sealedRecord = new(name, associatedLength: 13, length: 37);
        foreach (byte[] part in new[] { sealedRecord.Tag, sealedRecord.Nonce, sealedRecord.AssociatedData, sealedRecord.Ciphertext })
        {
            for (int bit = 0; bit < part.Length * 8; bit++)
            {
                part[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(sealedRecord.TryOpen(out byte[] forged));
                part[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.Equal(new byte[37], forged);
            }

            Assert.True(sealedRecord.TryOpen(out byte[] opened));
            Assert.Equal(sealedRecord.Plaintext, opened);
        }
    }

    /// <summary>The parts may move against each other without any bit of theirs changing.</summary>
    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Associated_data_is_bound_with_its_length(string name)
    {
        using Sealed sealedRecord = new(name, associatedLength: 13, length: 16);
        sealedRecord.AssociatedData = [.. sealedRecord.AssociatedData, 0];
        Assert.False(sealedRecord.TryOpen(out _));
        sealedRecord.AssociatedData = sealedRecord.AssociatedData[..12];
        Assert.False(sealedRecord.TryOpen(out _));
        sealedRecord.AssociatedData = [];
        Assert.False(sealedRecord.TryOpen(out _));
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Lengths_that_do_not_fit_are_refused_before_anything_is_written(string name)
    {
        using IAead aead = PlatformAead.Find(name).Create(new byte[PlatformAead.Find(name).KeyLength]);
        byte[] untouched = [.. Enumerable.Repeat((byte)0xA5, 33)];
        byte[] output = [.. untouched];
        foreach ((int nonce, int from, int to, int tag) in new[] { (11, 9, 9, 16), (13, 9, 9, 16), (0, 9, 9, 16), (12, 9, 8, 16), (12, 9, 10, 16),
                     (12, 0, 1, 16), (12, 1, 0, 16), (12, 9, 9, 15), (12, 9, 9, 17), (12, 9, 9, 0) })
        {
            Assert.Throws<ArgumentException>(() =>
                aead.Encrypt(new byte[nonce], [], new byte[from], output.AsSpan(0, to), output.AsSpan(16, tag)));
            Assert.Throws<ArgumentException>(() =>
                aead.TryDecrypt(new byte[nonce], [], new byte[from], new byte[tag], output.AsSpan(0, to)));
            Assert.Equal(untouched, output);
        }
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_disposed_one_decrypts_nothing(string name)
    {
        Sealed sealedRecord = new(name, associatedLength: 5, length: 20);
        Assert.True(sealedRecord.TryOpen(out _));
        sealedRecord.Dispose();
        sealedRecord.Dispose();
        Assert.Throws<ObjectDisposedException>(() => sealedRecord.TryOpen(out _));
    }

    /// <summary>Whatever lay in the queue: entries would be taken for the reason of .NET's next failure.</summary>
    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_bad_tag_leaves_no_error_behind(string name)
    {
        using Sealed sealedRecord = new(name, associatedLength: 5, length: 100);
        sealedRecord.Tag[7] ^= 1;
        foreach (bool beforehand in new[] { false, true })
        {
            LibCryptoErrors.Clear();
            if (beforehand)
            {
                LibCryptoErrors.Add();
                Assert.False(LibCryptoErrors.IsEmpty);
            }

            Assert.False(sealedRecord.TryOpen(out _));
            Assert.True(LibCryptoErrors.IsEmpty);
        }

        using AesGcm aes = new(new byte[16], 16);
        byte[] tag = new byte[16];
        aes.Encrypt(new byte[12], new byte[3], new byte[3], tag);
        Assert.Throws<AuthenticationTagMismatchException>(() => aes.Decrypt(new byte[12], new byte[3], tag, new byte[3]));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.True(key.VerifyHash(new byte[32], key.SignHash(new byte[32])));
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_good_record_leaves_no_error_behind(string name)
    {
        LibCryptoErrors.Clear();
        using Sealed sealedRecord = new(name, associatedLength: 5, length: 100);
        Assert.True(sealedRecord.TryOpen(out _));
        Assert.True(LibCryptoErrors.IsEmpty);
    }

    [Fact]
    public void A_failing_call_is_named_and_leaves_no_error_behind()
    {
        using EvpCipherContext broken = LibCryptoErrors.CreateContextWithoutCipher();
        nint context = broken.DangerousGetHandle();
        byte[] output = new byte[16];
        Names("EVP_CipherInit_ex", () => EvpCipher.Encrypt(context, new byte[12], [], output, output, new byte[16]));
        Names("EVP_CipherInit_ex", () => EvpCipher.TryDecrypt(context, new byte[12], [], output, new byte[16], output));
        Names("EVP_CIPHER_fetch", () => _ = new EvpAead(new EvpCipher("no such cipher", leavesKeyOnStack: false), new byte[16]));
        Names("AES-128-CBC", () => _ = new EvpAead(new EvpCipher("AES-128-CBC", leavesKeyOnStack: false), new byte[16]));
    }

    /// <summary>OpenSSL reads as many bytes as the cipher wants, whatever the row says.</summary>
    [Fact]
    public void A_key_of_another_cipher_is_refused()
    {
        Assert.Throws<ArgumentException>("key", () => new EvpAead(EvpCipher.Aes256Gcm, new byte[16]));
        Assert.Throws<ArgumentException>("key", () => new EvpAead(EvpCipher.Aes128Gcm, new byte[32]));
        Assert.Throws<ArgumentException>("key", () => new EvpAead(EvpCipher.ChaCha20Poly1305, new byte[31]));
    }

    /// <summary>Kept until the finalizer's turn, a key would stay in memory; kept for ever, so would its memory.</summary>
    [Fact]
    public void A_context_that_nobody_disposed_is_freed_by_the_collector()
    {
        WeakReference forgotten = Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(forgotten.IsAlive);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Forget() => new(EvpCipher.Aes128Gcm.CreateContext(new byte[16]), trackResurrection: true);
    }

    [Fact]
    public void This_machine_has_the_library_that_the_runtime_uses() => Assert.True(LibCryptoLibrary.IsTheRuntimes);

    private static void Names(string call, Action action)
    {
        CryptographicException failure = Assert.Throws<CryptographicException>(action);
        Assert.Contains(call, failure.Message, StringComparison.Ordinal);
        Assert.True(LibCryptoErrors.IsEmpty);
    }

    private sealed class Sealed : IDisposable
    {
        private readonly IAead _aead;

        public Sealed(string name, int associatedLength, int length)
        {
            Random random = new(length);
            Nonce = Bytes(AeadAlgorithm.NonceLength);
            AssociatedData = Bytes(associatedLength);
            Plaintext = Bytes(length);
            AeadAlgorithm algorithm = PlatformAead.Find(name);
            _aead = algorithm.Create(Bytes(algorithm.KeyLength));
            _aead.Encrypt(Nonce, AssociatedData, Plaintext, Ciphertext = new byte[length], Tag = new byte[AeadAlgorithm.TagLength]);

            byte[] Bytes(int count)
            {
                byte[] bytes = new byte[count];
                random.NextBytes(bytes);
                return bytes;
            }
        }

        public byte[] Nonce { get; }

        public byte[] AssociatedData { get; set; }

        public byte[] Plaintext { get; }

        public byte[] Ciphertext { get; }

        public byte[] Tag { get; }

        public bool TryOpen(out byte[] plaintext)
        {
            plaintext = [.. Enumerable.Repeat((byte)0xEE, Ciphertext.Length)];
            return _aead.TryDecrypt(Nonce, AssociatedData, Ciphertext, Tag, plaintext);
        }

        public void Dispose() => _aead.Dispose();
    }
}
