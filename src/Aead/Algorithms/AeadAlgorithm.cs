namespace Aead.Algorithms;

/// <summary>An AEAD as data (RFC 5116 §2.1): lengths, usage limit, factory.</summary>
public sealed class AeadAlgorithm
{
    private readonly Func<ReadOnlySpan<byte>, IAead> _create;

    internal AeadAlgorithm(string name, int keyLength, int explicitNonceLengthTls12, UsageLimit limit,
        Func<ReadOnlySpan<byte>, IAead> create)
    {
        Name = name;
        KeyLength = keyLength;
        ExplicitNonceLengthTls12 = explicitNonceLengthTls12;
        Limit = limit;
        _create = create;
    }

    /// <summary>AEAD_AES_128_GCM.</summary>
    public static AeadAlgorithm Aes128Gcm { get; } =
        new("AEAD_AES_128_GCM", 16, GcmExplicitNonceLength, UsageLimit.AesGcm, key => new EvpAead(EvpCipher.Aes128Gcm, key));

    /// <summary>AEAD_AES_256_GCM.</summary>
    public static AeadAlgorithm Aes256Gcm { get; } =
        new("AEAD_AES_256_GCM", 32, GcmExplicitNonceLength, UsageLimit.AesGcm, key => new EvpAead(EvpCipher.Aes256Gcm, key));

    /// <summary>AEAD_CHACHA20_POLY1305.</summary>
    public static AeadAlgorithm ChaCha20Poly1305 { get; } =
        new("AEAD_CHACHA20_POLY1305", 32, 0, UsageLimit.SequenceNumber, key => new EvpAead(EvpCipher.ChaCha20Poly1305, key));

    /// <summary>The RFC 5116 name.</summary>
    public string Name { get; }

    /// <summary>K_LEN, in bytes.</summary>
    public int KeyLength { get; }

    /// <summary>How many records one key may protect (RFC 8446 §5.5).</summary>
    public UsageLimit Limit { get; }

    /// <summary>
    /// Bytes of the nonce that each TLS 1.2 record carries: 8 for GCM (RFC 5288 §3), 0 for ChaCha20 (RFC 7905
    /// §2).
    /// </summary>
    internal int ExplicitNonceLengthTls12 { get; }

    /// <summary>An instance under <paramref name="key"/> (<see cref="KeyLength"/> bytes, copied).</summary>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public IAead Create(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyLength)
        {
            throw new ArgumentException(
                $"{Name} takes a key of {KeyLength} bytes, not {key.Length}.", nameof(key));
        }

        return _create(key);
    }

    /// <summary>The RFC 5116 name.</summary>
    public override string ToString() => Name;

    /// <summary>N_MIN = N_MAX, in bytes.</summary>
    public const int NonceLength = 12;

    /// <summary>T_LEN, in bytes.</summary>
    public const int TagLength = 16;

    // RFC 5288 §3: nonce_explicit.
    private const int GcmExplicitNonceLength = 8;
}
