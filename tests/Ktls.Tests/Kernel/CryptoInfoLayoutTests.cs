using Aead;
using Aead.Keys;
using Ktls.Kernel;
using Xunit;

namespace Ktls.Tests.Kernel;

/// <summary>Against bytes put together by hand from include/uapi/linux/tls.h; they are those of a little-endian machine.</summary>
public class CryptoInfoLayoutTests
{
    [Theory]
    [InlineData("AEAD_AES_128_GCM", 40, "4..12", "12..28", "28..32", "32..40")]
    [InlineData("AEAD_AES_256_GCM", 56, "4..12", "12..44", "44..48", "48..56")]
    [InlineData("AEAD_CHACHA20_POLY1305", 56, "4..16", "16..48", "48..48", "48..56")]
    public void The_fields_lie_where_the_kernel_reads_them(
        string aead, int size, string iv, string key, string salt, string sequenceNumber)
    {
        CryptoInfoLayout layout = CryptoInfoLayout.Of(CipherSuite.All.First(s => s.Aead.Name == aead).Aead);
        Assert.Equal(size, layout.Size);
        Assert.Equal(
            (iv, key, salt, sequenceNumber),
            ($"{layout.Iv}", $"{layout.Key}", $"{layout.Salt}", $"{layout.SequenceNumber}"));
    }

    [Fact]
    public void Every_suite_has_a_row() =>
        Assert.All(CipherSuite.All, suite => Assert.InRange(CryptoInfoLayout.Of(suite.Aead).Size, 40, 56));

    // RFC 8448 §3, the server's application traffic: write_iv cf782b88 dd83549aadf1e984.
    [Fact]
    public void TLS_13_AES_128_GCM() => Assert.Equal(
        Bytes("0403 3300", "dd83549aadf1e984", "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88", "0000000000000000"),
        Written(Tls13("TLS_AES_128_GCM_SHA256", Rfc8448Secret)));

    // The secret's key and iv by RFC 8446 §7.3, computed elsewhere: 42822531 a0fe88648fc09e9f.
    [Fact]
    public void TLS_13_AES_256_GCM() => Assert.Equal(
        Bytes("0403 3400", "a0fe88648fc09e9f", "6877d022f1c61d24ebb7487c16752d9a 4798e40431c75b39320e537c90e23225", "42822531",
            "0000000000000000"),
        Written(Tls13("TLS_AES_256_GCM_SHA384",
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f")));

    [Fact]
    public void TLS_13_ChaCha20_Poly1305() => Assert.Equal(
        Bytes("0403 3600", "cf782b88dd83549aadf1e984", "848e80ab93efeb09c572c66873c184f9 9207c95b0fc817f91e8e7e8e14ac5ca9",
            "0000000000000000"),
        Written(Tls13("TLS_CHACHA20_POLY1305_SHA256", Rfc8448Secret)));

    // The iv is the first explicit nonce: the sequence number.
    [Fact]
    public void TLS_12_AES_128_GCM() => Assert.Equal(
        Bytes("0303 3300", "0102030405060708", "101112131415161718191a1b1c1d1e1f", "a0a1a2a3", "0102030405060708"),
        Written(Tls12("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "101112131415161718191a1b1c1d1e1f", "a0a1a2a3")));

    [Fact]
    public void TLS_12_AES_256_GCM() => Assert.Equal(
        Bytes("0303 3400", "0102030405060708", "101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f", "a0a1a2a3",
            "0102030405060708"),
        Written(Tls12("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f", "a0a1a2a3")));

    [Fact]
    public void TLS_12_ChaCha20_Poly1305() => Assert.Equal(
        Bytes("0303 3600", "a0a1a2a3a4a5a6a7a8a9aaab", "101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f",
            "0102030405060708"),
        Written(Tls12("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f", "a0a1a2a3a4a5a6a7a8a9aaab")));

    private static DirectionKeys Tls13(string suite, string secret) =>
        DirectionKeys.FromTrafficSecret(CipherSuite.Find(suite)!, Convert.FromHexString(secret));

    private static DirectionKeys Tls12(string suite, string key, string iv) => DirectionKeys.FromKeyBlock(
        CipherSuite.Find(suite)!, Convert.FromHexString(key), Convert.FromHexString(iv), SequenceNumber);

    private static byte[] Written(DirectionKeys keys)
    {
        CryptoInfoLayout layout = CryptoInfoLayout.Of(keys.Suite.Aead);
        byte[] info = new byte[layout.Size];
        layout.Write(info, keys);
        Assert.Equal(keys.SequenceNumber, layout.ReadSequenceNumber(info));
        keys.Dispose();
        return info;
    }

    private static byte[] Bytes(params string[] fields) =>
        Convert.FromHexString(string.Concat(fields).Replace(" ", "", StringComparison.Ordinal));

    private const ulong SequenceNumber = 0x0102030405060708;
    private const string Rfc8448Secret = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
}
