using Aead;
using Aead.Keys;
using Aead.Records;
using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>
/// The kernel's record layer, sending: what the writer writes stays plaintext in its block until the kernel takes it and makes records of
/// it.
/// </summary>
internal sealed class KernelRecordSink : IRecordSink, IOutgoingRoom
{
    private readonly Lock _gate = new();
    private readonly KernelSendQueue _queue;
    private readonly WriterMemory _memory;
    private readonly OutgoingBlockPool _blocks;
    private OutgoingBlock? _block;
    private int _written;
    private bool _writable = true;
    private bool _ended;

    /// <param name="kernel">The socket, with the keys installed for transmitting.</param>
    /// <param name="keys">The same keys; the sink takes them over, and the caller's instance is empty afterwards.</param>
    /// <param name="supportsRekey">The kernel can change keys (Linux 6.14).</param>
    /// <param name="blocks">Where the writer's memory comes from.</param>
    public KernelRecordSink(IKernelTls kernel, DirectionKeys keys, bool supportsRekey, OutgoingBlockPool blocks)
    {
        keys = keys.Move();
        _queue = new KernelSendQueue(kernel, keys) { CanUpdateKeys = supportsRekey && keys.Suite.Version == TlsVersion.Tls13 };
        keys.ForgetKey();
        _memory = new WriterMemory(this);
        _blocks = blocks;
    }

    public long UnflushedBytes => _memory.UnflushedBytes;

    public bool CanUpdateKeys => _queue.CanUpdateKeys;

    int IOutgoingRoom.Room => _block == null ? 0 : _block.Buffer.Length - _written;

    public Memory<byte> GetMemory(int sizeHint) => _memory.GetMemory(sizeHint);

    public void Advance(int bytes) => _memory.Advance(bytes);

    public FlushStatus Flush()
    {
        _memory.OnFlush();
        lock (_gate)
        {
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
                _queue.EnqueueControl(type, fragment);
                SendQueued();
            }
        }
    }

    public void UpdateKeys(bool requestPeer)
    {
        if (!CanUpdateKeys)
        {
            throw new InvalidOperationException("This kernel cannot change the keys it was given.");
        }

        lock (_gate)
        {
            if (!_ended)
            {
                _queue.EnqueueKeyUpdate(requestPeer);
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

            _ended = true;
            if (alert == null)
            {
                _queue.Clear();
            }
            else
            {
                _queue.EnqueueClosingAlert(alert.Value);
            }

            return _queue;
        }
    }

    /// <summary>The writer is done for good: gives back what it was filling. What <see cref="End"/> returned goes on without it.</summary>
    public void Dispose()
    {
        _ = End(null);
        lock (_gate)
        {
            CloseBlock();
        }

        _memory.DropOversize();
    }

    Memory<byte> IOutgoingRoom.RoomFor(int wanted, bool large)
    {
        if (_block != null && _block.Buffer.Length - _written < wanted)
        {
            lock (_gate)
            {
                CloseBlock();
            }

            large = true;
        }

        _block ??= _blocks.Rent(large);
        return _block.Buffer.AsMemory(_written);
    }

    void IOutgoingRoom.Add(int bytes) => _written += bytes;

    private FlushStatus SendQueued()
    {
        if (_ended)
        {
            return FlushStatus.Closed;
        }

        if (_writable && _queue.QueuedBytes > 0)
        {
            SendStatus status = _queue.Send();
            if (status == SendStatus.Broken)
            {
                // The reader meets the same failure and reports it; until then the writer learns that nobody listens.
                _ended = true;
                _queue.Clear();
                return FlushStatus.Closed;
            }

            _writable = status == SendStatus.Sent;
        }

        return _queue.QueuedBytes <= GuardedRecordSink.QueuedBytesMax ? FlushStatus.Completed : FlushStatus.Full;
    }

    private void CloseBlock()
    {
        if (_block is { } block)
        {
            if (!_ended)
            {
                _queue.Enqueue(block, 0, _written);
            }

            block.MarkPlaintext(_written);
            block.Release();
            (_block, _written) = (null, 0);
        }
    }
}
