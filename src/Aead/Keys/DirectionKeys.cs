namespace Aead.Keys;

/// <summary>
/// All that protects one direction of a connection: key, IV, sequence number and, in TLS 1.3, the traffic secret they came from.
/// Moves from the handshake to exactly one owner, which disposes it (and so zeroes it).
/// </summary>
public sealed class DirectionKeys : IDisposable
{
    /// <summary>TLS 1.3 (RFC 8446 §7.3): sequence number 0. Takes <paramref name="secret"/> over and zeroes the array.</summary>
    public static DirectionKeys FromTrafficSecret(CipherSuite suite, byte[] secret) => throw null!;

    /// <summary>TLS 1.2 (RFC 5246 §6.3): key, implicit IV (4 bytes for GCM, 12 for ChaCha20) and the next sequence number. Copies its input.</summary>
    public static DirectionKeys FromKeyBlock(CipherSuite suite, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, ulong sequenceNumber) => throw null!;

    /// <summary>The negotiated suite.</summary>
    public CipherSuite Suite => throw null!;

    /// <summary>The [sender]_write_key.</summary>
    public ReadOnlySpan<byte> Key => throw null!;

    /// <summary>The [sender]_write_iv.</summary>
    public ReadOnlySpan<byte> Iv => throw null!;

    /// <summary>The number of the next record.</summary>
    public ulong SequenceNumber => throw null!;

    /// <summary>TLS 1.3 KeyUpdate (RFC 8446 §7.2): the next generation of keys, sequence number 0.</summary>
    /// <exception cref="InvalidOperationException">TLS 1.2 has no KeyUpdate.</exception>
    public void Update() => throw null!;

    /// <inheritdoc/>
    public void Dispose() => throw null!;
}
