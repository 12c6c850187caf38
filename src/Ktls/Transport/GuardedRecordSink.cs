using Aead.Algorithms;
using Aead.Records;

namespace Ktls.Transport;

/// <summary>
/// The user-space record layer, sending: the writer writes between the room left for header and tag, the record is encrypted where it lies,
/// and many records go out with one send.
/// </summary>
internal sealed class GuardedRecordSink : ISealingSink, IOutgoingRoom
{
    private readonly Lock _gate = new();
    private readonly RecordEncryptor _encryptor;
    private readonly SendQueue _queue;
    private readonly RecordBuilder _records;
    private readonly OutgoingBlockPool _blocks;
    private readonly WriterMemory _memory;
    private bool _writable = true;
    private bool _keyUpdateDue;
    private bool _requestPeer;
    private bool _ended;

    public GuardedRecordSink(int descriptor, RecordEncryptor encryptor, OutgoingBlockPool blocks)
    {
        _encryptor = encryptor;
        _blocks = blocks;
        _records = new RecordBuilder(encryptor.PrefixLength, encryptor.SuffixLength);
        _queue = new SendQueue(descriptor);
        _memory = new WriterMemory(this);
    }

    public long UnflushedBytes => _memory.UnflushedBytes;

    public bool CanUpdateKeys => true;

    int IOutgoingRoom.Room => _records.Room;

    public Memory<byte> GetMemory(int sizeHint) => _memory.GetMemory(sizeHint);

    public void Advance(int bytes) => _memory.Advance(bytes);

    public FlushStatus Flush()
    {
        _memory.OnFlush();
        lock (_gate)
        {
            FinishRecord();
            CloseBlock();
            return SendQueued();
        }
    }

    public FlushStatus Seal()
    {
        _memory.OnFlush();
        lock (_gate)
        {
            FinishRecord();
            CloseBlock();
            return StatusOfQueue;
        }
    }

    public FlushStatus SendSealed()
    {
        lock (_gate)
        {
            return SendQueued();
        }
    }

    public void WriteControl(ContentType type, ReadOnlySpan<byte> fragment)
    {
        lock (_gate)
        {
            if (!_ended)
            {
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
                _keyUpdateDue = true;
                _requestPeer |= requestPeer;
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

    public IPendingSend? End(AlertDescription? alert)
    {
        lock (_gate)
        {
            if (_ended)
            {
                return null;
            }

            if (alert == null)
            {
                // What was flushed counts as sent: HTTP/2 says goodbye (GOAWAY) before it aborts.
                _ = SendQueued();
            }

            _ended = true;
            _queue.IsClosing = true;
            _records.EnqueueFinished(_queue);
            if (alert == null)
            {
                _queue.Clear();
            }
            else if (_encryptor.Usage != UsageAction.Close)
            {
                EnqueueControl(ContentType.Alert, PostHandshake.AlertMessage(alert.Value));
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

        _memory.DropOversize();
    }

    Memory<byte> IOutgoingRoom.RoomFor(int wanted, bool large)
    {
        if (!_records.HasBlock)
        {
            OpenBlock(large);
        }
        else if (_records.Room < wanted)
        {
            NextRecord(wanted);
        }

        return _records.Memory;
    }

    void IOutgoingRoom.Add(int bytes) => _records.Add(bytes);

    private FlushStatus StatusOfQueue =>
        _ended ? FlushStatus.Closed : _queue.QueuedBytes <= QueuedBytesMax ? FlushStatus.Completed : FlushStatus.Full;

    private FlushStatus SendQueued()
    {
        if (_ended)
        {
            return FlushStatus.Closed;
        }

        // Behind a full socket it stays due: however often a client asks meanwhile, it gets one, before the next data.
        if (_keyUpdateDue && _queue.QueuedBytes == 0)
        {
            EnqueueKeyUpdate();
        }

        if (_writable && _queue.QueuedBytes > 0)
        {
            SendStatus status = _queue.Send();
            if (status == SendStatus.Broken)
            {
                // The reader meets the same failure and reports it; until then the writer learns that nobody listens.
                Break();
                return FlushStatus.Closed;
            }

            _writable = status == SendStatus.Sent;
            if (_writable && _keyUpdateDue)
            {
                return SendQueued();
            }
        }

        return StatusOfQueue;
    }

    private void NextRecord(int wanted)
    {
        lock (_gate)
        {
            FinishRecord();
            if (_records.Room < Math.Max(wanted, RecordRoomMin))
            {
                CloseBlock();
            }
        }

        if (!_records.HasBlock)
        {
            OpenBlock(large: true);
        }
    }

    private void OpenBlock(bool large)
    {
        OutgoingBlock block = _blocks.Rent(large);
        lock (_gate)
        {
            _records.Open(block);
        }
    }

    private void FinishRecord()
    {
        if (_records.OpenLength == 0)
        {
            return;
        }

        if (!_ended && (_keyUpdateDue || _encryptor.Usage == UsageAction.UpdateKeys))
        {
            EnqueueKeyUpdate();
        }

        if (!_ended && _encryptor.Usage == UsageAction.Close)
        {
            // The rest of the data has no key: only a reset tells the peer that what it got is not all.
            Break();
        }

        if (_ended)
        {
            _records.Discard();
        }
        else
        {
            _records.Finish(_encryptor);
        }
    }

    private void CloseBlock()
    {
        if (!_ended)
        {
            _records.EnqueueFinished(_queue);
        }

        _records.Close();
    }

    private void Break()
    {
        _ended = true;
        _queue.Clear();
    }

    private void EnqueueKeyUpdate()
    {
        EnqueueControl(ContentType.Handshake, PostHandshake.KeyUpdateMessage(_requestPeer));
        _encryptor.UpdateKeys();
        _keyUpdateDue = _requestPeer = false;
    }

    private void EnqueueControl(ContentType type, ReadOnlySpan<byte> fragment)
    {
        _records.EnqueueFinished(_queue);
        OutgoingBlock block = _blocks.Rent(large: false);
        fragment.CopyTo(block.Buffer.AsSpan(_encryptor.PrefixLength));
        int length = _encryptor.Encrypt(type, block.Buffer, fragment.Length);
        _queue.Enqueue(block, 0, length);
        block.Release();
    }

    /// <summary>
    /// Bytes queued behind a full socket before a flush waits. Kestrel's own buffering behind a waiting flush is dearer than this queue, and
    /// a slow client costs no more than this and its socket buffer.
    /// </summary>
    public const int QueuedBytesMax = 256 * 1024;

    // A record that starts in less room than this is not worth its header and tag.
    private const int RecordRoomMin = 1024;
}
