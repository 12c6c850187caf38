namespace Ktls.Handshake;

/// <summary>
/// The server's side of one handshake, fed exactly one record at a time so that at hand-over nothing is buffered. No socket, no clock: the
/// caller reads, writes and watches the deadline. Not thread-safe.
/// </summary>
public sealed class ServerHandshake : IDisposable
{
    /// <summary>Bytes of the largest record accepted during a handshake: header and 2^14 + 256.</summary>
    public const int RecordLengthMax = 5 + 16384 + 256;

    /// <summary>One handshake under this policy.</summary>
    public ServerHandshake(HandshakePolicy policy) => throw null!;

    /// <summary>Judges a header (5 bytes) before a byte of its fragment is read.</summary>
    /// <param name="header">5 bytes.</param>
    /// <param name="fragmentLength">Bytes of the fragment to read next.</param>
    /// <returns>False: refused; <see cref="Refusal"/> is set and the output holds the alert.</returns>
    public bool AcceptHeader(ReadOnlySpan<byte> header, out int fragmentLength) => throw null!;

    /// <summary>Feeds one whole record, which may be overwritten.</summary>
    /// <param name="record">The array that holds it from index 0.</param>
    /// <param name="length">Header and fragment, in bytes.</param>
    public HandshakeStatus Offer(byte[] record, int length) => throw null!;

    /// <summary>Refuses from outside (deadline, shutdown): sets <see cref="Refusal"/> and produces the alert.</summary>
    public void Refuse(HandshakeRefusal refusal) => throw null!;

    /// <summary>Takes the bytes to send now; empty when there are none.</summary>
    public ReadOnlyMemory<byte> TakeOutput() => throw null!;

    /// <summary>Set with Established.</summary>
    public HandshakeResult? Result => throw null!;

    /// <summary>Set with Refused.</summary>
    public HandshakeRefusal? Refusal => throw null!;

    /// <summary>The name the client asked for so far, for the log line; null before the ClientHello.</summary>
    public string? ServerName => throw null!;

    /// <summary>Ends BouncyCastle's ciphers and zeroes secrets not handed over.</summary>
    public void Dispose() => throw null!;
}
