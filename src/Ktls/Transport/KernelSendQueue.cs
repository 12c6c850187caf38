using Aead;
using Aead.Algorithms;
using Aead.Keys;
using Aead.Records;
using Ktls.Kernel;

namespace Ktls.Transport;

// The order in which everything leaves, whenever the socket has room:
//
//     control records | KeyUpdate, then its keys | application data | the closing alert
//
// Data is plaintext until the kernel takes it, so whatever announces something may still go first. It must: a writer that keeps the socket
// full would never let a KeyUpdate through.

/// <summary>
/// What a kTLS socket has not taken yet, and the keys it sends with: owns the direction to its end, through the close. Not thread-safe: its
/// owner's lock guards it.
/// </summary>
/// <param name="kernel">The socket, with the keys installed.</param>
/// <param name="keys">The same keys; taken over.</param>
internal sealed class KernelSendQueue(IKernelTls kernel, DirectionKeys keys) : IPendingSend
{
    private readonly OutgoingPieces _data = new();
    private Queue<ControlRecord>? _controls;
    private int _controlBytes;
    private byte[]? _closingAlert;
    private bool _keyUpdateDue;
    private bool _requestPeer;

    // The kernel counts the records it makes and is asked only where this, which is never less, comes near a limit.
    private ulong _recordsMost = keys.SequenceNumber;

    public int QueuedBytes => _data.Bytes + _controlBytes + (_keyUpdateDue ? KeyUpdateLength : 0) + (_closingAlert?.Length ?? 0);

    public bool MayBeHeldBack => true;

    /// <summary>The kernel takes other keys.</summary>
    public required bool CanUpdateKeys { get; init; }

    /// <summary>Queues a range of a block; the queue takes a reference of its own.</summary>
    public void Enqueue(OutgoingBlock block, int start, int length) => _data.Enqueue(block, start, length);

    /// <summary>Queues a control record, ahead of all data.</summary>
    public void EnqueueControl(ContentType type, ReadOnlySpan<byte> fragment)
    {
        (_controls ??= new Queue<ControlRecord>(1)).Enqueue(new ControlRecord(type, fragment.ToArray()));
        _controlBytes += fragment.Length;
    }

    /// <summary>Our next keys, ahead of all data. However often this is called before they are taken, it is one KeyUpdate.</summary>
    public void EnqueueKeyUpdate(bool requestPeer)
    {
        _keyUpdateDue = true;
        _requestPeer |= requestPeer;
    }

    /// <summary>The last record, behind everything.</summary>
    public void EnqueueClosingAlert(AlertDescription alert) => _closingAlert = PostHandshake.AlertMessage(alert);

    public SendStatus Send()
    {
        while (true)
        {
            SendStatus controls = SendControls();
            if (controls != SendStatus.Sent || _data.Bytes == 0)
            {
                return controls == SendStatus.Sent ? SendClosingAlert() : controls;
            }

            ulong recordsLeft = keys.Suite.Aead.Limit.CloseRecords - _recordsMost;
            ReadOnlySpan<ArraySegment<byte>> pieces = _data.Gather(BytesOf(recordsLeft), out int asked);
            SyscallResult sent = kernel.Send(pieces);
            if (MayTakeError(sent))
            {
                kernel.TakeError();
                sent = kernel.Send(pieces);
            }

            if (sent.Failed)
            {
                return SendQueue.StatusOf(sent);
            }

            _recordsMost += RecordsOf(sent.Value);
            _data.Remove(sent.Value);
            if (sent.Value < asked)
            {
                return SendStatus.Blocked;
            }
        }
    }

    public void Clear()
    {
        _data.Remove(_data.Bytes);
        _controls = null;
        _controlBytes = 0;
        _closingAlert = null;
        _keyUpdateDue = false;
        keys.Dispose();
    }

    // Sent: nothing stands before the data, and the key may protect some.
    private SendStatus SendControls()
    {
        while (_controls is { Count: > 0 } || _data.Bytes > 0 || _keyUpdateDue)
        {
            switch (Usage())
            {
                case UsageAction.Close:
                    // The rest has no key: only a reset tells the peer that what it got is not all.
                    return SendStatus.Broken;
                case UsageAction.UpdateKeys when _data.Bytes > 0:
                    _keyUpdateDue = true;
                    break;
            }

            SendStatus status;
            if (_controls is { Count: > 0 })
            {
                ControlRecord next = _controls.Peek();
                status = SendControl(next.Type, next.Fragment);
                if (status == SendStatus.Sent)
                {
                    _controls.Dequeue();
                    _controlBytes -= next.Fragment.Length;
                }
            }
            else if (_keyUpdateDue)
            {
                status = SendKeyUpdate();
            }
            else
            {
                break;
            }

            if (status != SendStatus.Sent)
            {
                return status;
            }
        }

        return SendStatus.Sent;
    }

    // The kernel does not check that the peer has been told: the keys change only behind a KeyUpdate that it took.
    private SendStatus SendKeyUpdate()
    {
        SendStatus status = SendControl(ContentType.Handshake, PostHandshake.KeyUpdateMessage(_requestPeer));
        if (status != SendStatus.Sent)
        {
            return status;
        }

        _keyUpdateDue = _requestPeer = false;
        keys.Update();
        _recordsMost = keys.SequenceNumber;
        SyscallResult installed = kernel.Install(KernelDirection.Transmit, keys);
        keys.ForgetKey();
        return installed.Failed ? SendStatus.Broken : SendStatus.Sent;
    }

    private SendStatus SendClosingAlert()
    {
        if (_closingAlert == null)
        {
            return SendStatus.Sent;
        }

        SendStatus status = SendControl(ContentType.Alert, _closingAlert);
        if (status == SendStatus.Sent)
        {
            Clear();
        }

        return status;
    }

    private SendStatus SendControl(ContentType type, ReadOnlySpan<byte> fragment)
    {
        SyscallResult sent = kernel.SendControl(type, fragment);
        if (MayTakeError(sent))
        {
            kernel.TakeError();
            sent = kernel.SendControl(type, fragment);
        }

        if (sent.Failed)
        {
            return SendQueue.StatusOf(sent);
        }

        _recordsMost++;
        return SendStatus.Sent;
    }

    // The other direction met a bad record, which is told once if it was its header. It is the receiver's to hear, which then closes; until
    // then nothing goes. After that the alert that says so must still go out.
    private bool MayTakeError(SyscallResult sent) => sent.RefusesRecord && _closingAlert != null;

    private UsageAction Usage()
    {
        if (UsageAt(_recordsMost) != UsageAction.None
            && !kernel.ReadSequenceNumber(KernelDirection.Transmit, out ulong records).Failed)
        {
            _recordsMost = records;
        }

        return UsageAt(_recordsMost);
    }

    // A key that cannot be replaced goes on until it must not, like TLS 1.2's.
    private UsageAction UsageAt(ulong records) =>
        keys.Suite.Aead.Limit.ActionAt(CanUpdateKeys ? keys.Suite.Version : TlsVersion.Tls12, records);

    // The kernel fills its records, but for the last one and one where memory was short.
    private static ulong RecordsOf(int bytes) => ((ulong)bytes / RecordHeader.PlaintextLengthMax) + RecordsUnfilled;

    // The most bytes that make no more than so many records; one record's worth may always be tried, because one was just found to be left.
    private static long BytesOf(ulong records) =>
        (long)Math.Clamp(records, RecordsUnfilled + 1, RecordsPerSendMax) * RecordHeader.PlaintextLengthMax
            - (RecordHeader.PlaintextLengthMax * (long)RecordsUnfilled);

    private const ulong RecordsUnfilled = 2;

    // More than the pieces of one send can hold.
    private const ulong RecordsPerSendMax = 1 << 20;

    // RFC 8446 §4.6.3.
    private const int KeyUpdateLength = 5;

    private readonly record struct ControlRecord(ContentType Type, byte[] Fragment);
}
