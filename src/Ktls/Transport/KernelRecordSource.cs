using System.Security.Cryptography;
using Aead;
using Aead.Algorithms;
using Aead.Keys;
using Aead.Pages;
using Aead.Records;
using Ktls.Kernel;

namespace Ktls.Transport;

// Two ways to read, and never a third. Into hidden pages, where nobody can see what the kernel writes before it has verified; that is the only
// way for TLS 1.2, which the kernel decrypts at the destination. Or, TLS 1.3 only, as a copy of what the kernel has verified in its own memory,
// which is cheaper for what is not worth a page flip and needs no io_uring. The page policy's n* decides between them, batch by batch.

/// <summary>
/// The kernel record layer, receiving: as many records per read as are there, exposed once the kernel has verified them. Keeps nothing between
/// reads. A fatal outcome is remembered, because the kernel reports some of them only once.
/// </summary>
internal sealed class KernelRecordSource : IRecordSource
{
    private readonly IKernelTls _kernel;
    private readonly int _descriptor;
    private readonly DirectionKeys _keys;
    private readonly CipherSuite _suite;
    private readonly HiddenReceive? _hidden;
    private readonly PagePool _pages;
    private readonly TurnRead _read = new();
    private ReadOutcome? _fatal;
    private bool _keyUpdatePending;
    private ulong _recordsAtMost;
    private int _readsUnasked;
    private int _emptyReads;
    private ulong? _recordsAtEmptyReads;

    /// <param name="kernel">The socket, whose receive keys are installed.</param>
    /// <param name="descriptor">The same socket, for the loop's ring.</param>
    /// <param name="keys">The keys that are installed; this takes them over.</param>
    /// <param name="canUpdateKeys">The kernel takes new keys behind a KeyUpdate.</param>
    /// <param name="hidden">The loop's hidden pages; null only for TLS 1.3.</param>
    /// <param name="pages">Where verified copies go.</param>
    /// <exception cref="ArgumentException">TLS 1.2 without hidden pages: its plaintext would be seen before it is verified.</exception>
    public KernelRecordSource(
        IKernelTls kernel, int descriptor, DirectionKeys keys, bool canUpdateKeys, HiddenReceive? hidden, PagePool pages)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _suite = keys.Suite;
        if (hidden == null && _suite.Version != TlsVersion.Tls13)
        {
            throw new ArgumentException($"{_suite} can be received by the kernel into hidden pages only.", nameof(hidden));
        }

        _recordsAtMost = keys.SequenceNumber;
        _keys = keys.Move();
        _keys.ForgetKey();
        (_kernel, _descriptor, _hidden, _pages, CanUpdateKeys) = (kernel, descriptor, hidden, pages, canUpdateKeys);
        NeedsLoop = MustHide(batchBytes: 0);
    }

    public bool HasBufferedRecords => _read.IsComplete;

    public bool HasReadAhead => _read.IsComplete;

    public bool NeedsLoop { get; private set; }

    public bool CanUpdateKeys { get; }

    public UsageAction Usage => _suite.Aead.Limit.ActionAt(_suite.Version, _recordsAtMost);

    public void JoinTurn(HiddenReceive hidden)
    {
        if (NeedsLoop && _fatal == null)
        {
            hidden.Join(_read, _descriptor);
        }
    }

    public ReadOutcome Read(ReceiveScratch scratch, bool receive)
    {
        if (_fatal is { } fatal)
        {
            return fatal;
        }

        if (!receive && !HasReadAhead)
        {
            return new ReadOutcome { Drained = true };
        }

        ReadOutcome outcome = NeedsLoop ? ReadHidden() : ReadVerified(scratch);
        NeedsLoop = MustHide(outcome.Data?.Length ?? 0);
        Count(outcome);
        return outcome;
    }

    /// <exception cref="InvalidOperationException">No KeyUpdate was read: the kernel would take the keys all the same, and lose the peer.</exception>
    public void UpdateKeys()
    {
        if (!_keyUpdatePending)
        {
            throw new InvalidOperationException("The peer has announced no new keys.");
        }

        _keyUpdatePending = false;
        _keys.Update();
        SyscallResult installed = _kernel.Install(KernelDirection.Receive, _keys);
        _keys.ForgetKey();
        _recordsAtMost = 0;
        if (installed.Failed)
        {
            _fatal = Broken(installed);
        }
    }

    public IUnreadBytes Unread(EventLoop loop, bool peerClosed) => _fatal != null || _keyUpdatePending
        ? new WaitForFin(_descriptor, peerClosed)
        : new KernelUnreadBytes(_kernel, _descriptor, loop, hides: _suite.Version != TlsVersion.Tls13, peerClosed);

    public void Dispose() => _keys.Dispose();

    // A read of a turn that nobody has taken is zeroed by the loop when the turn ends.
    private ReadOutcome ReadHidden()
    {
        if (!_read.IsComplete)
        {
            _hidden!.Read(_read, _descriptor);
        }

        ExposedPages? data = _hidden!.Take(_read, out SyscallResult result);
        return data != null ? new ReadOutcome { Data = data } : Interpret(result);
    }

    private ReadOutcome ReadVerified(ReceiveScratch scratch)
    {
        Span<byte> room = scratch.Ciphertext;
        SyscallResult received = _kernel.ReceiveVerified(room, out ContentType? type);
        if (received.Failed || (received.MovedNothing && type is null))
        {
            return Interpret(received);
        }

        Span<byte> verified = room[..received.Value];
        try
        {
            return type is null or ContentType.ApplicationData
                ? new ReadOutcome { Data = verified.IsEmpty ? null : scratch.Stage.CopyVerified(verified) }
                : Control(type.Value, verified.ToArray());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(verified);
        }
    }

    // net/tls/tls_sw.c, tls_sw_recvmsg and what it calls.
    private ReadOutcome Interpret(SyscallResult result)
    {
        if (result.WouldBlock)
        {
            return new ReadOutcome { Drained = true, FoundNothing = true };
        }

        if (result.ControlRecordWaits)
        {
            return ReadControl();
        }

        ReadOutcome fatal = result switch
        {
            { Failed: false } => new ReadOutcome { Status = ReadStatus.EndOfStream, Drained = true },
            { BadRecord: true } => Rejected(AlertDescription.BadRecordMac),
            { RecordTooLong: true } => Rejected(AlertDescription.RecordOverflow),
            { Invalid: true } => Rejected(AlertDescription.ProtocolVersion),
            _ => Broken(result),
        };
        _fatal = fatal;
        return fatal;
    }

    private ReadOutcome ReadControl()
    {
        Span<byte> fragment = stackalloc byte[ControlBytesMax];
        SyscallResult received = _kernel.ReceiveControl(fragment, out ContentType? type, out bool whole);
        if (received.Failed || type is not { } known)
        {
            return received.Failed && !received.ControlRecordWaits ? Interpret(received) : Fatal(Rejected(AlertDescription.UnexpectedMessage));
        }

        // What a peer sends beyond this is looked at no more closely than by its length, which shows.
        Span<byte> rest = stackalloc byte[ControlBytesMax];
        while (!whole && _kernel.ReceiveControl(rest, out _, out whole) is { Failed: false, Value: > 0 })
        {
        }

        return whole ? Control(known, fragment[..received.Value].ToArray()) : Fatal(Rejected(AlertDescription.DecodeError));
    }

    private ReadOutcome Control(ContentType type, byte[] fragment)
    {
        if (fragment.Length == 0)
        {
            return Fatal(Rejected(AlertDescription.UnexpectedMessage));
        }

        _keyUpdatePending = type == ContentType.Handshake && fragment[0] == PostHandshake.KeyUpdate;
        return new ReadOutcome { Status = ReadStatus.Control, ControlType = type, Control = fragment };
    }

    private bool MustHide(int batchBytes) =>
        _suite.Version != TlsVersion.Tls13 || (_hidden != null && _pages.Policy.Flips(batchBytes));

    // The kernel counts, but is asked only now and then: between two questions no more records can have come than bytes, and empty records,
    // which the kernel swallows, no more than a full socket buffer holds per read.
    private void Count(in ReadOutcome outcome)
    {
        int bytes = outcome.Data?.Length ?? 0;
        _recordsAtMost += (ulong)bytes + 1;
        if (++_readsUnasked >= ReadsUnaskedMax || Usage != UsageAction.None)
        {
            AskForRecords();
        }

        if (outcome.Data != null || !outcome.Drained)
        {
            (_emptyReads, _recordsAtEmptyReads) = (0, null);
        }
        else if (++_emptyReads % EmptyReadsMax == 0 && AskForRecords() is { } records)
        {
            // Readiness without data comes from half a record or from empty ones; only those move the number.
            if (records - _recordsAtEmptyReads.GetValueOrDefault(records) >= EmptyReadsMax)
            {
                Fatal(Rejected(AlertDescription.UnexpectedMessage));
            }

            _recordsAtEmptyReads = records;
        }

        if (Usage == UsageAction.Close)
        {
            Fatal(Rejected(AlertDescription.InternalError));
        }
    }

    private ulong? AskForRecords()
    {
        _readsUnasked = 0;
        if (_kernel.ReadSequenceNumber(KernelDirection.Receive, out ulong number).Failed)
        {
            return null;
        }

        return _recordsAtMost = number;
    }

    private ReadOutcome Fatal(ReadOutcome outcome)
    {
        _fatal ??= outcome;
        return outcome;
    }

    private static ReadOutcome Rejected(AlertDescription alert) => new() { Status = ReadStatus.Rejected, Alert = alert, Drained = true };

    private static ReadOutcome Broken(SyscallResult failure) =>
        new() { Status = ReadStatus.Broken, Drained = true, Failure = failure.ErrorName };

    // The longest control record that means anything here is a KeyUpdate; a renegotiating ClientHello is known by its first byte.
    private const int ControlBytesMax = 512;

    // Sixteen times a full receive buffer of empty records, 22 bytes each, stays below the AES-GCM limit's margin of 2^22.7 records.
    private const int ReadsUnaskedMax = 16;

    // As many empty records in a row as the user-space layer tolerates.
    private const int EmptyReadsMax = 32;
}
