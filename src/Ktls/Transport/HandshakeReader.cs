using System.Buffers;
using System.Security.Cryptography;
using Aead.Records;
using Ktls.Handshake;
using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>What a read during the handshake came to.</summary>
internal enum HandshakeRead
{
    /// <summary>A whole record is there.</summary>
    Record,

    /// <summary>Not yet.</summary>
    NeedMoreData,

    /// <summary>The header alone was enough to refuse.</summary>
    Refused,

    /// <summary>The peer closed or the socket failed.</summary>
    Gone,
}

// Nothing behind the client's Finished may be read: it belongs to the record layer, which may be the kernel's. A Finished is encrypted, so what
// may be read at once follows from what is known:
//
//     nothing read yet                 as much as there is: the client cannot finish before it has an answer
//     between records                  11 bytes: a Finished has more, and every other record (6 at least) is followed by a header (5)
//     a header, of a plaintext record  the rest of it, and 11 bytes
//     a header, of an encrypted one    the rest of it

/// <summary>
/// Reads the handshake's records one at a time, and never a byte that belongs to the record layer. Holds memory only while a record is under
/// way.
/// </summary>
internal sealed class HandshakeReader(int descriptor) : IDisposable
{
    private int _received;
    private int _ahead = ServerHandshake.RecordLengthMax - RecordHeader.Length;
    private bool _drained;

    /// <summary>The record, from index 0.</summary>
    public byte[]? Record { get; private set; }

    /// <summary>Bytes of it, header included.</summary>
    public int Length { get; private set; } = RecordHeader.Length;

    /// <summary>Nothing was read behind the last record.</summary>
    public bool IsEmpty => _received == 0;

    /// <summary>There may be more to receive than there was.</summary>
    public void OnReadable() => _drained = false;

    /// <summary>Receives what is missing of the current record.</summary>
    /// <param name="handshake">Judges its header.</param>
    /// <param name="peerClosed">The end of the stream is behind what is there: no edge will report it.</param>
    public HandshakeRead Read(ServerHandshake handshake, bool peerClosed)
    {
        while (true)
        {
            if (Length == RecordHeader.Length && _received >= RecordHeader.Length && !TryReadHeader(handshake))
            {
                return HandshakeRead.Refused;
            }

            if (Length > RecordHeader.Length && _received >= Length)
            {
                return HandshakeRead.Record;
            }

            if (_drained && !peerClosed)
            {
                return Wait();
            }

            Record ??= ArrayPool<byte>.Shared.Rent(ServerHandshake.RecordLengthMax + AheadMax);
            Span<byte> room = Record.AsSpan(_received, Length + _ahead - _received);
            SyscallResult received = SocketCalls.Receive(descriptor, room);
            if (received.Failed || received.Value == 0)
            {
                return received.WouldBlock ? Wait() : HandshakeRead.Gone;
            }

            // epoll(7), question 9: less than asked for is all there is.
            _drained = received.Value < room.Length;
            _received += received.Value;
        }
    }

    /// <summary>The record was used: make ready for the next.</summary>
    public void Next()
    {
        // The record may have been decrypted where it lies.
        Span<byte> held = Record.AsSpan(0, _received);
        CryptographicOperations.ZeroMemory(held[..Length]);
        held[Length..].CopyTo(held);
        _received -= Length;
        Length = RecordHeader.Length;
        _ahead = AheadMax - RecordHeader.Length;
    }

    public void Dispose()
    {
        if (Record is { } record)
        {
            CryptographicOperations.ZeroMemory(record.AsSpan(0, _received));
            ArrayPool<byte>.Shared.Return(record);
            Record = null;
        }
    }

    private bool TryReadHeader(ServerHandshake handshake)
    {
        if (!handshake.AcceptHeader(Record.AsSpan(0, RecordHeader.Length), out int fragmentLength))
        {
            return false;
        }

        Length += fragmentLength;
        _ahead = handshake.MayBeLastRecord ? 0 : AheadMax;
        return true;
    }

    private HandshakeRead Wait()
    {
        if (_received == 0)
        {
            Dispose();
        }

        return HandshakeRead.NeedMoreData;
    }

    // The shortest record there is, and a header.
    private const int AheadMax = RecordHeader.Length + 1 + RecordHeader.Length;
}
