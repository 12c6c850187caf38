using System.Runtime.InteropServices;
using Aead.Keys;
using Aead.Pages;
using Aead.Records;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Tmds.Linux;

namespace Ktls.Tests.Kernel;

/// <summary>What a kernel does wrong.</summary>
public enum KernelFault
{
    None,
    SendsOtherBytes,
    SendsUnderOtherKeys,
    SendsNoControl,
    NeverSends,
    RunsOutOfMemory,
    ReadsOtherBytes,
    ReadsControlAsData,
    RefusesGenuine,
    AcceptsForgeries,
    AppendsForgeries,
    LeavesForgeries,
    LeavesBytesBehind,
    ForgetsRefusals,
    RefusesForgeriesByAnotherName,
    NeverReads,
    EndsTheStream,
}

/// <summary>kTLS on a real socket, done in user space, with a fault to find. Also the ring and its pages. Not thread-safe.</summary>
internal sealed class UserSpaceKernel(int descriptor, KernelFault fault, DecryptStage stage) : IKernelTls, IHiddenReads
{
    private readonly byte[] _wire = new byte[256 << 10];
    private readonly Queue<(ContentType Type, byte[] Content)> _read = new();
    private RecordEncryptor? _encryptor;
    private RecordDecryptor? _decryptor;
    private int _length;
    private int _refusals;
    private (nint Address, long Bytes) _pinned;

    public int ReadsMax => 1;

    /// <summary>The ring does not zero what it is asked to.</summary>
    public bool NeverZeroes { get; init; }

    public SyscallResult Attach() => SyscallResult.FromError(0);

    public SyscallResult Install(KernelDirection direction, DirectionKeys keys)
    {
        if (direction == KernelDirection.Transmit)
        {
            bool other = fault == KernelFault.SendsUnderOtherKeys;
            _encryptor = new RecordEncryptor(other ? new SelfTestKeys(keys.Suite).Create() : keys.Move());
        }
        else
        {
            _decryptor = new RecordDecryptor(keys.Move());
        }

        return SyscallResult.FromError(0);
    }

    public SyscallResult ReadSequenceNumber(KernelDirection direction, out ulong number) => throw new NotSupportedException();

    public SyscallResult TakeError() => throw new NotSupportedException();

    public SyscallResult Send(ReadOnlySpan<ArraySegment<byte>> pieces)
    {
        if (fault is KernelFault.NeverSends or KernelFault.RunsOutOfMemory)
        {
            return SyscallResult.FromError(fault == KernelFault.NeverSends ? LibC.EAGAIN : LibC.ENOBUFS);
        }

        // A kernel may take less than all.
        byte[] content = pieces[0].AsSpan(0, Math.Min(pieces[0].Count, 10_000)).ToArray();
        content[0] ^= (byte)(fault == KernelFault.SendsOtherBytes ? 1 : 0);
        return SendRecord(ContentType.ApplicationData, content);
    }

    public SyscallResult SendControl(ContentType type, ReadOnlySpan<byte> fragment) =>
        SendRecord(fault == KernelFault.SendsNoControl ? ContentType.ApplicationData : type, fragment.ToArray());

    public SyscallResult ReceiveVerified(Span<byte> room, out ContentType? type)
    {
        SyscallResult result = Fill(room, takeControl: true, out ContentType read);
        type = read;
        return result;
    }

    public SyscallResult ReceiveControl(Span<byte> fragment, out ContentType? type, out bool whole)
    {
        whole = true;
        return ReceiveVerified(fragment, out type);
    }

    public void Pin(nint address, long bytes) => _pinned = (address, bytes);

    public void Zero(nint address, int bytes)
    {
        if (!NeverZeroes)
        {
            Marshal.Copy(new byte[bytes], 0, address, bytes);
        }
    }

    public void Submit(Span<HiddenRead> reads)
    {
        byte[] pages = new byte[_pinned.Bytes];
        Marshal.Copy(_pinned.Address, pages, 0, pages.Length);
        reads[0].Result = Fill(pages, takeControl: false, out _);
        Marshal.Copy(pages, 0, _pinned.Address, pages.Length);
    }

    public void Dispose()
    {
        _encryptor?.Dispose();
        _decryptor?.Dispose();
    }

    private SyscallResult SendRecord(ContentType type, byte[] content)
    {
        SelfTestRecord.SendWire(descriptor, _encryptor!.Seal(type, content));
        return SyscallResult.FromCompletion(content.Length);
    }

    private SyscallResult Fill(Span<byte> room, bool takeControl, out ContentType type)
    {
        type = ContentType.ApplicationData;
        if (_read.Count == 0)
        {
            Pull();
        }

        if (_read.TryPeek(out (ContentType Type, byte[] Content) next) && fault != KernelFault.RefusesGenuine)
        {
            type = fault == KernelFault.ReadsControlAsData ? ContentType.ApplicationData : next.Type;
            if (type != ContentType.ApplicationData && !takeControl)
            {
                return SyscallResult.FromError(LibC.EIO);
            }

            _read.Dequeue();
            next.Content.CopyTo(room);
            room[0] ^= (byte)(fault == KernelFault.ReadsOtherBytes ? 1 : 0);
            room[next.Content.Length] ^= (byte)(fault == KernelFault.LeavesBytesBehind ? 1 : 0);
            bool appends = fault == KernelFault.AppendsForgeries && _refusals > 0;
            return SyscallResult.FromCompletion(next.Content.Length + (appends ? 100 : 0));
        }

        return fault switch
        {
            KernelFault.EndsTheStream => SyscallResult.FromCompletion(0),
            KernelFault.RefusesGenuine => SyscallResult.FromError(LibC.EBADMSG),
            _ => _refusals == 0 ? SyscallResult.NotYet : Refuse(room),
        };
    }

    private SyscallResult Refuse(Span<byte> room)
    {
        if (fault == KernelFault.LeavesForgeries)
        {
            room[..1_000].Fill(7);
        }

        return fault switch
        {
            KernelFault.AcceptsForgeries => SyscallResult.FromCompletion(1_000),
            KernelFault.ForgetsRefusals when ++_refusals > 2 => SyscallResult.FromCompletion(10),
            KernelFault.RefusesForgeriesByAnotherName => SyscallResult.FromError(LibC.EINVAL),
            _ => SyscallResult.FromError(LibC.EBADMSG),
        };
    }

    // Everything that has arrived, decrypted.
    private void Pull()
    {
        SyscallResult received = fault == KernelFault.NeverReads
            ? SyscallResult.NotYet
            : SocketCalls.Receive(descriptor, _wire.AsSpan(_length));
        _length += received.Failed ? 0 : received.Value;
        for (bool more = true; more;)
        {
            DecryptedBatch batch = _decryptor!.Decrypt(_wire.AsSpan(0, _length), stage);
            using ExposedPages? data = batch.ApplicationData;
            _wire.AsSpan(batch.Consumed, _length - batch.Consumed).CopyTo(_wire);
            _length -= batch.Consumed;
            if (data != null)
            {
                _read.Enqueue((ContentType.ApplicationData, data.GetSpan().ToArray()));
            }

            if (batch.End == BatchEnd.Control)
            {
                _read.Enqueue((batch.ControlType, batch.Control.ToArray()));
            }

            _refusals += batch.End == BatchEnd.Rejected ? 1 : 0;
            more = batch.End is BatchEnd.Control or BatchEnd.SlotFull;
        }
    }
}
