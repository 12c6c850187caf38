using System.Buffers.Binary;
using Aead.Algorithms;
using Aead.Records;

namespace Ktls.Handshake;

/// <summary>
/// The server's side of one handshake, fed exactly one record at a time so that at hand-over nothing is
/// buffered. No socket, no clock: the caller reads, writes and watches the deadline. Not thread-safe.
/// </summary>
public sealed class ServerHandshake : IDisposable
{
    private readonly RecordAdmission _admission = new();
    private readonly HandshakeFraming _framing = new();
    private readonly PlatformCrypto _crypto;
    private BouncyServer? _server;
    private BouncyProtocol? _protocol;
    private byte[] _output = [];
    private int _expectedLength;

    /// <summary>One handshake under this policy.</summary>
    public ServerHandshake(HandshakePolicy policy)
        : this(policy, LibCryptoLibrary.IsTheRuntimes)
    {
    }

    internal ServerHandshake(HandshakePolicy policy, bool useLibCrypto)
    {
        ArgumentNullException.ThrowIfNull(policy);
        _crypto = new PlatformCrypto(_framing, useLibCrypto);
        _server = new BouncyServer(policy, _crypto);
        _protocol = new BouncyProtocol(_server);
        _protocol.Accept(_server);
    }

    /// <summary>Set with Established.</summary>
    public HandshakeResult? Result { get; private set; }

    /// <summary>Set with Refused.</summary>
    public HandshakeRefusal? Refusal { get; private set; }

    /// <summary>
    /// The name the client asked for so far, for the log line; null before the ClientHello.
    /// </summary>
    public string? ServerName { get; private set; }

    /// <summary>
    /// The record whose header was accepted last is encrypted, as a Finished is: it may be the last of the handshake. After any other the client
    /// has to send at least one more.
    /// </summary>
    public bool MayBeLastRecord { get; private set; }

    /// <summary>Judges a header (5 bytes) before its fragment is looked at.</summary>
    /// <param name="header">5 bytes.</param>
    /// <param name="fragmentLength">Bytes of the fragment to read next.</param>
    /// <returns>False: refused; <see cref="Refusal"/> is set and the output holds the alert.</returns>
    /// <exception cref="InvalidOperationException">The handshake is over.</exception>
    public bool AcceptHeader(ReadOnlySpan<byte> header, out int fragmentLength)
    {
        BouncyProtocol protocol = Protocol;
        fragmentLength = 0;
        if (_admission.Judge(header[..RecordHeader.Length], protocol.IsPastChangeCipherSpec) is { } refusal)
        {
            Refuse(refusal);
            return false;
        }

        RecordHeader accepted = RecordHeader.Read(header);
        fragmentLength = accepted.FragmentLength;
        MayBeLastRecord = RecordAdmission.IsProtected(accepted.Type, protocol.IsPastChangeCipherSpec);
        _expectedLength = RecordHeader.Length + fragmentLength;
        return true;
    }

    /// <summary>Feeds one whole record, which may be overwritten.</summary>
    /// <param name="record">The array that holds it from index 0.</param>
    /// <param name="length">Header and fragment, in bytes.</param>
    /// <exception cref="InvalidOperationException">
    /// The handshake is over, or the header was not accepted.
    /// </exception>
    public HandshakeStatus Offer(byte[] record, int length)
    {
        ArgumentNullException.ThrowIfNull(record);
        BouncyProtocol protocol = Protocol;
        if (length != _expectedLength || length > record.Length
            || BinaryPrimitives.ReadUInt16BigEndian(record.AsSpan(3)) != length - RecordHeader.Length)
        {
            throw new InvalidOperationException("Offer takes the record whose header was accepted last.");
        }

        _expectedLength = 0;
        HandshakeStatus status = Take(protocol, record, length);

        // BouncyCastle derives keys into its stack frames.
        StackScrub.RunDeep();
        return status;
    }

    private HandshakeStatus Take(BouncyProtocol protocol, byte[] record, int length)
    {
        try
        {
            JudgeFraming(protocol, record.AsSpan(0, length));
            protocol.OfferInput(record, 0, length);
        }
        catch (Exception exception)
        {
            // Also when the result is set already: what came behind the Finished counts.
            return Fail(protocol, exception);
        }

        ServerName = _server!.ServerName;
        AddOutput(protocol.TakeOutput());
        if (_server.Result is null)
        {
            return HandshakeStatus.NeedMoreData;
        }

        Result = _server.Result;
        LetGo();
        return HandshakeStatus.Established;
    }

    /// <summary>
    /// Refuses from outside (deadline, shutdown): sets <see cref="Refusal"/> and produces the alert.
    /// </summary>
    /// <exception cref="InvalidOperationException">The handshake is over.</exception>
    public void Refuse(HandshakeRefusal refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        BouncyProtocol protocol = Protocol;
        protocol.Abort((short)refusal.Alert);
        End(protocol, refusal);
    }

    /// <summary>Takes the bytes to send now; empty when there are none.</summary>
    public ReadOnlyMemory<byte> TakeOutput()
    {
        byte[] taken = _output;
        _output = [];
        return taken;
    }

    /// <summary>
    /// Ends BouncyCastle's ciphers and zeroes secrets not handed over. An established <see cref="Result"/> is
    /// its taker's.
    /// </summary>
    public void Dispose()
    {
        _protocol?.Abandon();
        LetGo();
    }

    private BouncyProtocol Protocol =>
        _protocol ?? throw new InvalidOperationException("The handshake is over.");

    // What is encrypted passes the framing once it is decrypted.
    private void JudgeFraming(BouncyProtocol protocol, ReadOnlySpan<byte> record)
    {
        ContentType type = RecordHeader.Read(record).Type;
        if (type != ContentType.Handshake
            || RecordAdmission.IsProtected(type, protocol.IsPastChangeCipherSpec))
        {
            return;
        }

        try
        {
            _framing.Judge(record[RecordHeader.Length..], isEncrypted: false);
        }
        catch (HandshakeException refused)
        {
            protocol.Abort(refused.AlertDescription);
            throw;
        }
    }

    private HandshakeStatus Fail(BouncyProtocol protocol, Exception exception)
    {
        ServerName = _server!.ServerName;
        _server.Result?.Dispose();
        bool isPeersAlert = exception is Org.BouncyCastle.Tls.TlsFatalAlertReceived;
        End(protocol, RefusalReason.From(exception), needsAlert: !isPeersAlert);
        return HandshakeStatus.Refused;
    }

    private void End(BouncyProtocol protocol, HandshakeRefusal refusal, bool needsAlert = true)
    {
        Refusal = refusal;
        AddOutput(protocol.TakeOutput());
        if (needsAlert && !protocol.WroteAlert)
        {
            // Before a ClientHello BouncyCastle is silent; a client that expects TLS still learns why.
            AddOutput([(byte)ContentType.Alert, 3, 1, 0, 2, AlertLevelFatal, (byte)refusal.Alert]);
        }

        LetGo();
    }

    // Nothing of BouncyCastle outlives the handshake: its ciphers could reuse a nonce under keys that are now
    // ours, and its session holds a copy of the master secret. Both end with the cryptography that made them.
    private void LetGo()
    {
        _crypto.Dispose();
        _protocol = null;
        _server = null;
    }

    private void AddOutput(byte[] more) => _output = _output.Length == 0 ? more : [.. _output, .. more];

    /// <summary>Bytes of the largest record accepted during a handshake: header and 2^14 + 256.</summary>
    public const int RecordLengthMax = 5 + 16384 + 256;

    // RFC 8446 §6.
    private const byte AlertLevelFatal = 2;
}
