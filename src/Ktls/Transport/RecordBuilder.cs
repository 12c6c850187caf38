using Aead.Records;

namespace Ktls.Transport;

// The block being filled, from the left:
//
//     | queued | finished records | prefix | plaintext of the open record ... room ... | suffix |
//     0        _queued            _record

/// <summary>
/// Records under construction in one block: plaintext is written between the room for header and tag and encrypted where it lies. Decides
/// nothing; the sink does, and guards it.
/// </summary>
internal sealed class RecordBuilder(int prefixLength, int suffixLength)
{
    private OutgoingBlock? _block;
    private int _queued;
    private int _record;

    /// <summary>True between <see cref="Open"/> and <see cref="Close"/>.</summary>
    public bool HasBlock => _block != null;

    /// <summary>Plaintext of the open record, in bytes.</summary>
    public int OpenLength { get; private set; }

    /// <summary>Bytes that can be added to the open record; less than none when the block is as good as full.</summary>
    public int Room => _block == null
        ? 0
        : Math.Min(RecordHeader.PlaintextLengthMax, _block.Buffer.Length - _record - prefixLength - suffixLength) - OpenLength;

    /// <summary>The room itself. Needs a block.</summary>
    public Memory<byte> Memory => _block!.Buffer.AsMemory(_record + prefixLength + OpenLength, Room);

    /// <summary>Takes over the caller's reference to an empty block.</summary>
    public void Open(OutgoingBlock block) => (_block, _queued, _record, OpenLength) = (block, 0, 0, 0);

    /// <summary>So many bytes were written to <see cref="Memory"/>.</summary>
    public void Add(int bytes) => OpenLength += bytes;

    /// <summary>Encrypts the open record.</summary>
    public void Finish(RecordEncryptor encryptor)
    {
        _record += encryptor.Encrypt(ContentType.ApplicationData, _block!.Buffer.AsSpan(_record), OpenLength);
        OpenLength = 0;
    }

    /// <summary>Overwrites the open record's plaintext: it will never be encrypted.</summary>
    public void Discard()
    {
        _block?.Zero(_record + prefixLength, OpenLength);
        OpenLength = 0;
    }

    /// <summary>Queues what is finished.</summary>
    public void EnqueueFinished(SendQueue queue)
    {
        if (_block != null)
        {
            queue.Enqueue(_block, _queued, _record - _queued);
            _queued = _record;
        }
    }

    /// <summary>Gives the block back; what is queued of it lives on.</summary>
    public void Close()
    {
        _block?.Release();
        _block = null;
    }
}
