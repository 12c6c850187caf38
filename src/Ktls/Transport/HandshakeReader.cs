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

/// <summary>
/// Reads exactly one record at a time, five bytes and then as many as they say, so that at hand-over nothing that belongs to the record layer
/// has been read. Holds memory only while a record is under way.
/// </summary>
internal sealed class HandshakeReader(int descriptor) : IDisposable
{
    private int _needed = RecordHeader.Length;

    /// <summary>The record, from index 0.</summary>
    public byte[]? Record { get; private set; }

    /// <summary>Bytes of it received.</summary>
    public int Length { get; private set; }

    /// <summary>Receives what is missing of the current record.</summary>
    public HandshakeRead Read(ServerHandshake handshake)
    {
        while (true)
        {
            Record ??= ArrayPool<byte>.Shared.Rent(ServerHandshake.RecordLengthMax);
            SyscallResult received = SocketCalls.Receive(descriptor, Record.AsSpan(Length, _needed - Length));
            if (received.Failed || received.Value == 0)
            {
                if (Length == 0)
                {
                    Dispose();
                }

                return received.WouldBlock ? HandshakeRead.NeedMoreData : HandshakeRead.Gone;
            }

            Length += received.Value;
            if (Length < _needed)
            {
                continue;
            }

            if (_needed == RecordHeader.Length)
            {
                if (!handshake.AcceptHeader(Record.AsSpan(0, RecordHeader.Length), out int fragmentLength))
                {
                    return HandshakeRead.Refused;
                }

                _needed += fragmentLength;
            }

            if (Length == _needed)
            {
                return HandshakeRead.Record;
            }
        }
    }

    /// <summary>The record was used: make ready for the next.</summary>
    public void Next()
    {
        // The record may have been decrypted where it lies.
        CryptographicOperations.ZeroMemory(Record.AsSpan(0, Length));
        Length = 0;
        _needed = RecordHeader.Length;
    }

    public void Dispose()
    {
        if (Record is { } record)
        {
            CryptographicOperations.ZeroMemory(record.AsSpan(0, Length));
            ArrayPool<byte>.Shared.Return(record);
            Record = null;
        }
    }
}
