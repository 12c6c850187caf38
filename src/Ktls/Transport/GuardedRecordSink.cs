using System.Buffers;
using System.Security.Cryptography;
using Aead;
using Aead.Algorithms;
using Aead.Records;

namespace Ktls.Transport;

/// <summary>
/// The user-space record layer, sending: the writer writes between the room left for header and tag, the record is encrypted where it lies,
/// and many records go out with one send.
/// </summary>
internal sealed class GuardedRecordSink : IRecordSink
{
    private readonly Lock _gate = new();
    private readonly RecordEncryptor _encryptor;
    private readonly TlsVersion _version;
    private readonly SendQueue _queue;
    private readonly int _prefix;
    private readonly int _suffix;
    private readonly OutgoingBlockPool _blocks;

    // The block being filled: [_unsent, _record) are finished records, at _record begins the open one with _open bytes of plaintext.
    private OutgoingBlock? _block;
    private int _unsent;
    private int _record;
    private int _open;
    private byte[]? _oversize;
    private bool _large;
    private bool _writable = true;
    private bool _ended;

    public GuardedRecordSink(int descriptor, TlsVersion version, RecordEncryptor encryptor, OutgoingBlockPool blocks)
    {
        _encryptor = encryptor;
        _version = version;
        _blocks = blocks;
        _prefix = encryptor.PrefixLength;
        _suffix = encryptor.SuffixLength;
        _queue = new SendQueue(descriptor);
    }

    public long UnflushedBytes { get; private set; }

    private int Room => Math.Min(
        RecordHeader.PlaintextLengthMax,
        _block!.Buffer.Length - _record - _prefix - _suffix) - _open;

    public Memory<byte> GetMemory(int sizeHint)
    {
        int wanted = Math.Max(sizeHint, 1);
        if (wanted > RecordHeader.PlaintextLengthMax)
        {
            return _oversize = ArrayPool<byte>.Shared.Rent(wanted);
        }

        if (_block == null)
        {
            OpenBlock(_large || wanted > SmallRecordMax);
        }
        else if (Room < wanted)
        {
            NextRecord(wanted);
        }

        return _block!.Buffer.AsMemory(_record + _prefix + _open, Room);
    }

    public void Advance(int bytes)
    {
        UnflushedBytes += bytes;
        if (_oversize is not { } oversize)
        {
            _open += bytes;
            return;
        }

        _oversize = null;
        for (int written = 0; written < bytes;)
        {
            Memory<byte> room = GetMemory(1);
            int count = Math.Min(room.Length, bytes - written);
            oversize.AsMemory(written, count).CopyTo(room);
            _open += count;
            written += count;
        }

        CryptographicOperations.ZeroMemory(oversize.AsSpan(0, bytes));
        ArrayPool<byte>.Shared.Return(oversize);
    }

    public FlushStatus Flush()
    {
        _large = UnflushedBytes > SmallRecordMax;
        UnflushedBytes = 0;
        lock (_gate)
        {
            FinishRecord();
            CloseBlock();
            return SendQueued();
        }
    }

    public void WriteControl(ContentType type, ReadOnlySpan<byte> fragment)
    {
        lock (_gate)
        {
            if (!_ended)
            {
                EnqueueFinished();
                EnqueueControl(type, fragment);
                SendQueued();
            }
        }
    }

    public void UpdateKeys(bool requestPeer)
    {
        lock (_gate)
        {
            if (!_ended)
            {
                EnqueueFinished();
                EnqueueKeyUpdate(requestPeer);
                SendQueued();
            }
        }
    }

    public FlushStatus OnWritable()
    {
        lock (_gate)
        {
            _writable = true;
            return SendQueued();
        }
    }

    public SendQueue? End(AlertDescription? alert)
    {
        lock (_gate)
        {
            if (_ended)
            {
                return null;
            }

            _ended = true;
            EnqueueFinished();
            if (alert is { } description)
            {
                AlertLevel level = description == AlertDescription.CloseNotify ? AlertLevel.Warning : AlertLevel.Fatal;
                if (_encryptor.Usage != UsageAction.Close)
                {
                    EnqueueControl(ContentType.Alert, [(byte)level, (byte)description]);
                }
            }
            else
            {
                _queue.Clear();
            }

            _encryptor.Dispose();
            return _queue;
        }
    }

    /// <summary>The writer is done for good: gives back what it was filling.</summary>
    public void Dispose()
    {
        _ = End(null);
        lock (_gate)
        {
            _encryptor.Dispose();
            FinishRecord();
            CloseBlock();
        }

        if (_oversize is { } oversize)
        {
            _oversize = null;
            ArrayPool<byte>.Shared.Return(oversize, clearArray: true);
        }
    }

    private FlushStatus SendQueued()
    {
        if (_ended)
        {
            return FlushStatus.Closed;
        }

        if (_writable && _queue.QueuedBytes > 0)
        {
            SendStatus status = _queue.Send(out _);
            if (status == SendStatus.Broken)
            {
                // The reader meets the same failure and reports it; until then the writer learns that nobody listens.
                _ended = true;
                _queue.Clear();
                return FlushStatus.Closed;
            }

            _writable = status == SendStatus.Sent;
        }

        return _queue.QueuedBytes <= QueuedBytesMax ? FlushStatus.Completed : FlushStatus.Full;
    }

    private void NextRecord(int wanted)
    {
        lock (_gate)
        {
            FinishRecord();
            if (Room < Math.Max(wanted, RecordRoomMin))
            {
                CloseBlock();
                _block = null;
            }
        }

        if (_block == null)
        {
            OpenBlock(large: true);
        }
    }

    private void OpenBlock(bool large)
    {
        OutgoingBlock block = _blocks.Rent(large);
        lock (_gate)
        {
            (_block, _unsent, _record, _open) = (block, 0, 0, 0);
        }
    }

    private void FinishRecord()
    {
        if (_open == 0)
        {
            return;
        }

        if (!_ended && _encryptor.Usage == UsageAction.UpdateKeys && _version == TlsVersion.Tls13)
        {
            EnqueueFinished();
            EnqueueKeyUpdate(requestPeer: false);
        }

        if (_ended || _encryptor.Usage == UsageAction.Close)
        {
            _ended = true;
            _block!.Zero(_record + _prefix, _open);
        }
        else
        {
            _record += _encryptor.Encrypt(ContentType.ApplicationData, _block!.Buffer.AsSpan(_record), _open);
        }

        _open = 0;
    }

    private void EnqueueFinished()
    {
        if (_block != null)
        {
            _queue.Enqueue(_block, _unsent, _record - _unsent);
            _unsent = _record;
        }
    }

    private void CloseBlock()
    {
        if (_block == null)
        {
            return;
        }

        if (!_ended)
        {
            EnqueueFinished();
        }

        _block.Release();
        _block = null;
    }

    private void EnqueueKeyUpdate(bool requestPeer)
    {
        EnqueueControl(ContentType.Handshake, PostHandshake.KeyUpdateMessage(requestPeer));
        _encryptor.UpdateKeys();
    }

    private void EnqueueControl(ContentType type, ReadOnlySpan<byte> fragment)
    {
        OutgoingBlock block = _blocks.Rent(large: false);
        fragment.CopyTo(block.Buffer.AsSpan(_prefix));
        int length = _encryptor.Encrypt(type, block.Buffer, fragment.Length);
        _queue.Enqueue(block, 0, length);
        block.Release();
    }

    private enum AlertLevel : byte
    {
        Warning = 1,
        Fatal = 2,
    }

    /// <summary>
    /// Bytes queued behind a full socket before a flush waits. Kestrel's own buffering behind a waiting flush is dearer than this queue, and
    /// a slow client costs no more than this and its socket buffer.
    /// </summary>
    public const int QueuedBytesMax = 256 * 1024;

    private const int SmallRecordMax = OutgoingBlockPool.SmallLength - 13 - 17;

    // A record that starts in less room than this is not worth its header and tag: take the next block.
    private const int RecordRoomMin = 1024;
}
