using Aead;
using Aead.Records;
using Ktls.Kernel;
using Tmds.Linux;

namespace Ktls.Tests.Kernel;

/// <summary>The receiving half of a fake kTLS socket: what arrived and has not been read, and how reading it fails.</summary>
internal sealed class FakeReceiveHalf(FakeDirection direction, bool supportsRekey)
{
    private readonly Queue<FakeRecord> _records = new();
    private int _arrivingGeneration;
    private int _taken;
    private bool _decrypted;
    private bool _awaitsKeys;
    private bool _fin;
    private bool _reset;
    private bool _stopped;
    private SyscallResult? _headerError;
    private bool _metBadRecord;

    /// <summary>
    /// What SO_ERROR holds, and every send is refused with: a bad record that was met, each time anew, or a header that nobody has been
    /// told of yet.
    /// </summary>
    public SyscallResult? PendingError => _metBadRecord ? BadRecord : IsEmpty ? _headerError : null;

    /// <summary>Reading left nothing behind.</summary>
    public bool IsEmpty => _records.Count == 0;

    public void Arrive(FakeRecord record)
    {
        _records.Enqueue(record with { KeyGeneration = _arrivingGeneration });
        _arrivingGeneration += record.IsKeyUpdate && direction.Suite?.Version == TlsVersion.Tls13 ? 1 : 0;
    }

    /// <summary>A header that is refused before its record is decrypted; everything behind it is lost.</summary>
    public void ArriveHeader(int errno) => _headerError ??= SyscallResult.FromError(errno);

    public void Fin() => _fin = true;

    public void Reset() => _reset = true;

    public SyscallResult TakeError()
    {
        SyscallResult taken = PendingError ?? SyscallResult.FromError(0);
        _stopped |= taken is { Failed: true, BadRecord: false };
        (_metBadRecord, _headerError) = (false, IsEmpty ? null : _headerError);
        return taken;
    }

    public void OnInstalled() => _awaitsKeys = false;

    /// <summary>A read that asks for no type: as many data records as are there, up to the first that is none or is bad.</summary>
    /// <param name="room">Filled from the front.</param>
    /// <param name="leaks">Decrypt straight into the room, as kernels do for TLS 1.2, and leave there what did not verify.</param>
    public SyscallResult ReadData(Span<byte> room, bool leaks)
    {
        int count = 0;
        bool metEmpty = false;
        while (count < room.Length)
        {
            SyscallResult stop = Head(out FakeRecord? head, ref metEmpty);
            if (head is { IsData: false } && !stop.Failed)
            {
                // Only the first record of a read is asked for its type, and an empty one is a record.
                stop = SyscallResult.FromError(metEmpty ? 0 : LibC.EIO);
                head = metEmpty ? null : head;
            }

            if (stop.BadRecord && leaks && head!.Content.Length <= room.Length - count)
            {
                head.Content.CopyTo(room[count..]);
            }

            if (head == null || stop.Failed)
            {
                return count > 0 ? SyscallResult.FromCompletion(count) : Tell(stop);
            }

            count += Take(head, room[count..]);
        }

        return SyscallResult.FromCompletion(count);
    }

    /// <summary>A read that asks for the type: data as before, or one control record.</summary>
    public SyscallResult ReadTyped(Span<byte> room, out ContentType? type, out bool whole)
    {
        bool metEmpty = false;
        SyscallResult head = Head(out FakeRecord? record, ref metEmpty);
        type = null;
        whole = true;
        if (head.Failed || record == null)
        {
            return Tell(head);
        }

        type = metEmpty ? ContentType.ApplicationData : record.Type;
        if (record.IsData)
        {
            return ReadData(room, leaks: false);
        }

        if (metEmpty)
        {
            return SyscallResult.FromCompletion(0);
        }

        int count = Take(record, room);
        whole = _taken == 0;
        return SyscallResult.FromCompletion(count);
    }

    // The record in front, decrypted, or why there is none to read; 0 and no record is the FIN.
    private SyscallResult Head(out FakeRecord? head, ref bool metEmpty)
    {
        head = null;
        while (!_awaitsKeys && _records.TryPeek(out head))
        {
            if (head.IsBad || head.KeyGeneration != direction.KeyGeneration)
            {
                return BadRecord;
            }

            direction.SequenceNumber += _decrypted ? 0UL : 1UL;
            _decrypted = true;
            if (!head.IsData || head.Content.Length > 0)
            {
                return SyscallResult.FromError(0);
            }

            Drop();
            metEmpty = true;
        }

        return _awaitsKeys ? SyscallResult.FromError(LibC.EKEYEXPIRED) : AtEnd();
    }

    private SyscallResult AtEnd()
    {
        if (_stopped)
        {
            return SyscallResult.NotYet;
        }

        SyscallResult end = _reset ? SyscallResult.FromError(LibC.ECONNRESET) : _fin ? SyscallResult.FromError(0) : SyscallResult.NotYet;
        return _headerError ?? end;
    }

    // Some errors are gone once they have been told; a bad record stays and makes itself felt again.
    private SyscallResult Tell(SyscallResult stop)
    {
        _metBadRecord |= stop.BadRecord;
        if (stop.RecordTooLong || stop.Invalid)
        {
            (_headerError, _stopped) = (null, true);
        }
        else if (_reset && stop.Failed && IsEmpty)
        {
            (_reset, _fin) = (false, true);
        }

        return stop;
    }

    private int Take(FakeRecord head, Span<byte> room)
    {
        ReadOnlySpan<byte> left = head.Content.AsSpan(_taken);
        int count = Math.Min(left.Length, room.Length);
        left[..count].CopyTo(room);
        _taken += count;
        if (_taken == head.Content.Length)
        {
            Drop();

            // Before Linux 6.14 nothing pauses, and the next record is tried under the old key.
            _awaitsKeys = supportsRekey && head.IsKeyUpdate && direction.Suite?.Version == TlsVersion.Tls13;
        }

        return count;
    }

    private void Drop()
    {
        _records.Dequeue();
        (_taken, _decrypted) = (0, false);
    }

    private static SyscallResult BadRecord => SyscallResult.FromError(LibC.EBADMSG);
}
