using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Aead.Algorithms;

namespace Aead.Keys;

// One owner at a time. The handshake makes it; RecordEncryptor, RecordDecryptor or the kernel's installer
// takes it with Move, which leaves the former owner with nothing. Two owners of one key would be two users
// of one nonce.
//
// All secrets lie in one pinned array, so that the garbage collector leaves no copies behind and Dispose
// reaches every byte:
//
//     | traffic secret (TLS 1.3: hash length; TLS 1.2: none) | write_iv (4 or 12) | write_key (16 or 32) |

/// <summary>
/// All that protects one direction of a connection: key, IV, sequence number and, in TLS 1.3, the traffic
/// secret they came from. Moves from the handshake to exactly one owner, which disposes it (and so zeroes
/// it). Not thread-safe.
/// </summary>
public sealed class DirectionKeys : IDisposable
{
    private byte[]? _material;
    private ulong _sequenceNumber;
    private bool _keyMoved;

    private DirectionKeys(CipherSuite suite, byte[] material, ulong sequenceNumber)
    {
        Suite = suite;
        _material = material;
        _sequenceNumber = sequenceNumber;
    }

    /// <summary>
    /// TLS 1.3 (RFC 8446 §7.3): sequence number 0. Takes <paramref name="secret"/> over and zeroes the array.
    /// </summary>
    /// <param name="suite">A suite of TLS 1.3.</param>
    /// <param name="secret">[sender]_application_traffic_secret_N, as long as the suite's hash.</param>
    /// <exception cref="ArgumentException">Suite or length is wrong.</exception>
    public static DirectionKeys FromTrafficSecret(CipherSuite suite, byte[] secret)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(secret);
        Require(suite.Version == TlsVersion.Tls13, $"{suite} has no traffic secrets.", nameof(suite));
        int length = SecretLength(suite);
        Require(secret.Length == length, $"A traffic secret of {suite} is {length} bytes.", nameof(secret));

        var keys = new DirectionKeys(suite, AllocateMaterial(suite), sequenceNumber: 0);
        secret.CopyTo(keys.Secret);
        CryptographicOperations.ZeroMemory(secret);
        keys.DeriveKeyAndIv();
        return keys;
    }

    /// <summary>
    /// TLS 1.2 (RFC 5246 §6.3): key, implicit IV and the next sequence number. Copies its input.
    /// </summary>
    /// <param name="suite">A suite of TLS 1.2.</param>
    /// <param name="key">As long as the AEAD's key.</param>
    /// <param name="iv">4 bytes for GCM, 12 for ChaCha20.</param>
    /// <param name="sequenceNumber">The next record's number: 1 after a handshake, as Finished had 0.</param>
    /// <exception cref="ArgumentException">Suite or a length is wrong.</exception>
    public static DirectionKeys FromKeyBlock(CipherSuite suite, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv,
        ulong sequenceNumber)
    {
        ArgumentNullException.ThrowIfNull(suite);
        Require(suite.Version == TlsVersion.Tls12, $"{suite} has no key block.", nameof(suite));
        int keyLength = suite.Aead.KeyLength;
        Require(key.Length == keyLength, $"A key of {suite} is {keyLength} bytes.", nameof(key));
        Require(iv.Length == suite.IvLength, $"An IV of {suite} is {suite.IvLength} bytes.", nameof(iv));

        var keys = new DirectionKeys(suite, AllocateMaterial(suite), sequenceNumber);
        iv.CopyTo(keys.WritableIv);
        key.CopyTo(keys.WritableKey);
        return keys;
    }

    /// <summary>The negotiated suite.</summary>
    public CipherSuite Suite { get; }

    /// <summary>The [sender]_write_key.</summary>
    /// <exception cref="InvalidOperationException">A record encryptor or decryptor has taken it, or it was forgotten.</exception>
    public ReadOnlySpan<byte> Key
    {
        get
        {
            ThrowIfDisposed();
            return _keyMoved
                ? throw new InvalidOperationException("The key moved into an AEAD; Update makes another.")
                : WritableKey;
        }
    }

    /// <summary>The [sender]_write_iv.</summary>
    public ReadOnlySpan<byte> Iv => WritableIv;

    /// <summary>The number of the next record.</summary>
    public ulong SequenceNumber
    {
        get
        {
            ThrowIfDisposed();
            return _sequenceNumber;
        }
    }

    /// <summary>TLS 1.3 KeyUpdate (RFC 8446 §7.2): the next generation of keys, sequence number 0.</summary>
    /// <exception cref="InvalidOperationException">TLS 1.2 has no KeyUpdate.</exception>
    public void Update()
    {
        if (Suite.Version != TlsVersion.Tls13)
        {
            throw new InvalidOperationException("TLS 1.2 has no KeyUpdate.");
        }

        Span<byte> next = stackalloc byte[SHA384.HashSizeInBytes];
        next = next[..Secret.Length];
        HkdfLabel.Expand(Suite.Hash, Secret, "traffic upd"u8, next);
        next.CopyTo(Secret);
        CryptographicOperations.ZeroMemory(next);
        DeriveKeyAndIv();
        _sequenceNumber = 0;
        _keyMoved = false;
    }

    /// <summary>Moves everything to a new owner; this instance is then as good as disposed.</summary>
    public DirectionKeys Move()
    {
        var moved = new DirectionKeys(Suite, Material, _sequenceNumber) { _keyMoved = _keyMoved };
        _material = null;
        return moved;
    }

    /// <summary>
    /// Zeroes the key, and keeps what the next one is made of: for an owner that has handed the key to the kernel.
    /// </summary>
    public void ForgetKey()
    {
        CryptographicOperations.ZeroMemory(WritableKey);
        _keyMoved = true;
    }

    /// <summary>Zeroes all secrets.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_material);
        _material = null;
    }

    /// <summary>What the suite's usage limit demands before the next record.</summary>
    internal UsageAction Usage => Suite.Aead.Limit.ActionAt(Suite.Version, SequenceNumber);

    /// <summary>Moves the key into an AEAD and zeroes it here: once is enough in memory.</summary>
    internal IAead MoveKeyToAead()
    {
        IAead aead = Suite.Aead.Create(Key);
        ForgetKey();
        return aead;
    }

    /// <summary>Takes the number of the next record, which nobody gets a second time.</summary>
    /// <exception cref="OverflowException">The number would wrap; usage limits end a key earlier.</exception>
    internal ulong TakeSequenceNumber()
    {
        ulong taken = SequenceNumber;
        _sequenceNumber = checked(taken + 1);
        return taken;
    }

    [MemberNotNull(nameof(_material))]
    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_material is null, this);

    private byte[] Material
    {
        get
        {
            ThrowIfDisposed();
            return _material;
        }
    }

    private Span<byte> Secret => Material.AsSpan(0, SecretLength(Suite));

    private Span<byte> WritableIv => Material.AsSpan(SecretLength(Suite), Suite.IvLength);

    private Span<byte> WritableKey => Material.AsSpan(^Suite.Aead.KeyLength..);

    // RFC 8446 §7.3.
    private void DeriveKeyAndIv()
    {
        HkdfLabel.Expand(Suite.Hash, Secret, "key"u8, WritableKey);
        HkdfLabel.Expand(Suite.Hash, Secret, "iv"u8, WritableIv);
        StackScrub.RunDeep();
    }

    private static byte[] AllocateMaterial(CipherSuite suite) => GC.AllocateUninitializedArray<byte>(
        SecretLength(suite) + suite.IvLength + suite.Aead.KeyLength, pinned: true);

    private static int SecretLength(CipherSuite suite)
    {
        if (suite.Version != TlsVersion.Tls13)
        {
            return 0;
        }

        return suite.Hash == HashAlgorithmName.SHA384 ? SHA384.HashSizeInBytes : SHA256.HashSizeInBytes;
    }

    private static void Require(bool condition, string message, string parameter)
    {
        if (!condition)
        {
            throw new ArgumentException(message, parameter);
        }
    }
}
