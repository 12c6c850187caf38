namespace Aead.Algorithms;

/// <summary>An AEAD as data (RFC 5116 §2.1): lengths, usage limit, factory.</summary>
public sealed class AeadAlgorithm
{
    /// <summary>AEAD_AES_128_GCM.</summary>
    public static AeadAlgorithm Aes128Gcm => throw null!;

    /// <summary>AEAD_AES_256_GCM.</summary>
    public static AeadAlgorithm Aes256Gcm => throw null!;

    /// <summary>AEAD_CHACHA20_POLY1305.</summary>
    public static AeadAlgorithm ChaCha20Poly1305 => throw null!;

    /// <summary>N_MIN = N_MAX, in bytes.</summary>
    public const int NonceLength = 12;

    /// <summary>T_LEN, in bytes.</summary>
    public const int TagLength = 16;

    /// <summary>The RFC 5116 name.</summary>
    public string Name => throw null!;

    /// <summary>K_LEN, in bytes.</summary>
    public int KeyLength => throw null!;

    /// <summary>How many records one key may protect (RFC 8446 §5.5).</summary>
    public UsageLimit Limit => throw null!;

    /// <summary>An instance under <paramref name="key"/> (<see cref="KeyLength"/> bytes, copied).</summary>
    public IAead Create(ReadOnlySpan<byte> key) => throw null!;
}
