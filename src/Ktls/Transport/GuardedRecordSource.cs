using System.Buffers;
using Aead.Algorithms;
using Aead.Records;
using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>
/// The user-space record layer, receiving: many records per receive, decrypted into one hidden slot, exposed once. Between reads it keeps
/// only ciphertext that is no whole record yet; an idle connection keeps nothing.
/// </summary>
internal sealed class GuardedRecordSource(int descriptor, RecordDecryptor decryptor) : IRecordSource
{
    private byte[]? _kept;
    private int _keptLength;

    public bool HasBufferedRecords { get; private set; }

    public UsageAction Usage => decryptor.Usage;

    public ReadOutcome Read(ReceiveScratch scratch, bool receive)
    {
        int length = _keptLength;
        bool drained = false;
        if (receive && !HasBufferedRecords)
        {
            Span<byte> room = scratch.Ciphertext.AsSpan(_keptLength);
            SyscallResult received = SocketCalls.Receive(descriptor, room);
            if (received.Failed)
            {
                return received.WouldBlock
                    ? new ReadOutcome { Status = ReadStatus.Data, Drained = true, FoundNothing = true }
                    : new ReadOutcome { Status = ReadStatus.Broken, Drained = true, Failure = received.ErrorName };
            }

            if (received.Value == 0)
            {
                return new ReadOutcome { Status = ReadStatus.EndOfStream, Drained = true };
            }

            length += received.Value;
            drained = received.Value < room.Length;
        }

        TakeKept(scratch.Ciphertext);
        DecryptedBatch batch = decryptor.Decrypt(scratch.Ciphertext.AsSpan(0, length), scratch.Stage);
        HasBufferedRecords = batch.End is BatchEnd.Control or BatchEnd.SlotFull && batch.Consumed < length;
        if (batch.End != BatchEnd.Rejected)
        {
            Keep(scratch.Ciphertext.AsSpan(batch.Consumed, length - batch.Consumed));
        }

        return new ReadOutcome
        {
            Status = batch.End switch
            {
                BatchEnd.Control => ReadStatus.Control,
                BatchEnd.Rejected => ReadStatus.Rejected,
                _ => ReadStatus.Data,
            },
            Data = batch.ApplicationData,
            Drained = drained,
            ControlType = batch.ControlType,
            Control = batch.Control,
            Alert = batch.Alert,
        };
    }

    public void UpdateKeys() => decryptor.UpdateKeys();

    public IUnreadBytes Unread(EventLoop loop, bool peerClosed) => new PlainUnreadBytes(descriptor);

    public void Dispose()
    {
        DropKept();
        decryptor.Dispose();
    }

    private void TakeKept(byte[] ciphertext)
    {
        if (_keptLength > 0)
        {
            _kept.AsSpan(0, _keptLength).CopyTo(ciphertext);
            DropKept();
        }
    }

    private void Keep(ReadOnlySpan<byte> rest)
    {
        if (!rest.IsEmpty)
        {
            _kept = ArrayPool<byte>.Shared.Rent(rest.Length);
            rest.CopyTo(_kept);
            _keptLength = rest.Length;
        }
    }

    private void DropKept()
    {
        if (_kept != null)
        {
            ArrayPool<byte>.Shared.Return(_kept);
            (_kept, _keptLength) = (null, 0);
        }
    }
}
