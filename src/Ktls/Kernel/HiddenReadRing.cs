using Aead.Pages;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Ktls.Kernel;

/// <summary>
/// Hidden reads by io_uring. Made and used by one loop's thread. That no read outlives <see cref="Submit"/> is what everything else leans
/// on: a page with a read in flight could change after it was exposed, or lent to another connection. It holds because each read is either
/// told not to wait (RWF_NOWAIT, which sockets of Linux 6.1 refuse) or canceled by the last entry of the same call, and because every
/// completion is waited for. On 6.1 a socket with half a record costs a try by one of the kernel's workers.
/// </summary>
internal sealed unsafe class HiddenReadRing : IHiddenReads
{
    private readonly IoUring _ring;
    private readonly int _zeros;
    private bool _pinned;
    private bool _disposed;

    // Until the kernel says otherwise; then a read that finds nothing costs no wait to be armed and taken back.
    private bool _noWait = true;

    private HiddenReadRing(IoUring ring, int readsMax, int zeros)
    {
        _ring = ring;
        _zeros = zeros;
        ReadsMax = readsMax;
    }

    /// <summary>Makes a ring, or tells why there is none: then records of TLS 1.2 are received in user space.</summary>
    /// <param name="readsMax">Reads one <see cref="Submit"/> takes at most; 1 to <see cref="ReadsMaxLimit"/>.</param>
    /// <param name="refusal">
    /// <see cref="SyscallResult.NoSuchCall"/>, <see cref="SyscallResult.NotPermitted"/> (kernel.io_uring_disabled, a container's seccomp
    /// filter), <see cref="SyscallResult.OutOfResources"/>, or <see cref="SyscallResult.NotSupported"/> (Linux before 5.19).
    /// </param>
    public static HiddenReadRing? TryCreate(int readsMax, out SyscallResult refusal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(readsMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(readsMax, ReadsMaxLimit);
        IoUring? ring = IoUring.TryCreate(readsMax + 1, out refusal);
        if (ring is null)
        {
            return null;
        }

        refusal = TryCancel(ring);
        if (!refusal.Failed)
        {
            fixed (byte* path = "/dev/zero\0"u8)
            {
                refusal = SyscallResult.From(open(path, O_RDONLY | O_CLOEXEC));
            }
        }

        if (!refusal.Failed)
        {
            return new HiddenReadRing(ring, readsMax, refusal.Value);
        }

        ring.Dispose();
        return null;
    }

    public int ReadsMax { get; }

    public void Pin(nint address, long bytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_pinned)
        {
            throw new InvalidOperationException("Pages are pinned already.");
        }

        if (bytes > BufferBytesMax)
        {
            throw new PagePoolException($"One ring can pin {BufferBytesMax >> 20} MiB, not {bytes >> 20} MiB.");
        }

        SyscallResult registered = _ring.RegisterBuffer(address, bytes);
        if (registered.Failed)
        {
            throw registered.OutOfResources
                ? PagePoolException.NotPinned(bytes, registered.ErrorName)
                : new PagePoolException($"The kernel does not pin pages: {registered.ErrorName}.");
        }

        _pinned = true;
    }

    public void Zero(nint address, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        RequirePinned();
        while (bytes > 0)
        {
            HiddenRead chunk = new() { Descriptor = _zeros, Address = address, Length = bytes };
            Prepare(chunk, flags: 0, token: 0);
            WaitForAll(new Span<HiddenRead>(ref chunk));
            if (chunk.Result.WouldBlock)
            {
                continue;
            }

            if (chunk.Result.Failed || chunk.Result.Value == 0)
            {
                // Whoever asked is about to expose or to lend these bytes, which may be plaintext that did not verify.
                Environment.FailFast($"Pages were not zeroed, the process cannot go on: {chunk.Result.ErrorName}.");
            }

            // Short results are usual: the kernel stops when another thread wants the processor.
            address += chunk.Result.Value;
            bytes -= chunk.Result.Value;
        }
    }

    public void Submit(Span<HiddenRead> reads)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reads.Length, ReadsMax, nameof(reads));
        RequirePinned();
        if (reads.IsEmpty)
        {
            return;
        }

        if (_noWait && !TryWithoutWaiting(reads))
        {
            _noWait = false;
            ReadAndCancel(reads, onlyRefused: true);
        }
        else if (!_noWait)
        {
            ReadAndCancel(reads, onlyRefused: false);
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_pinned)
        {
            _ring.UnregisterBuffer();
        }

        _ring.Dispose();
        _ = close(_zeros);
    }

    /// <returns>False: Linux 6.1 refuses RWF_NOWAIT, for every socket and before it reads anything, so nothing is lost.</returns>
    private bool TryWithoutWaiting(Span<HiddenRead> reads)
    {
        for (int i = 0; i < reads.Length; i++)
        {
            Prepare(reads[i], NoWaitFlag, (ulong)i);
        }

        WaitForAll(reads);
        foreach (ref readonly HiddenRead read in reads)
        {
            if (read.Result.NotSupported)
            {
                return false;
            }
        }

        return true;
    }

    private void ReadAndCancel(Span<HiddenRead> reads, bool onlyRefused)
    {
        for (int i = 0; i < reads.Length; i++)
        {
            if (!onlyRefused || reads[i].Result.NotSupported)
            {
                Prepare(reads[i], flags: 0, (ulong)i);
            }
        }

        PrepareCancel(_ring);
        WaitForAll(reads);
    }

    private void Prepare(in HiddenRead read, int flags, ulong token)
    {
        ref io_uring_sqe entry = ref _ring.Prepare();
        entry.opcode = IORING_OP_READ_FIXED;
        entry.fd = read.Descriptor;
        // The file's own position, which a socket does not have.
        entry.off = ulong.MaxValue;
        entry.addr = (ulong)read.Address;
        entry.len = (uint)read.Length;
        entry.rw_flags = flags;
        entry.user_data = token;
    }

    private static void PrepareCancel(IoUring ring)
    {
        ref io_uring_sqe entry = ref ring.Prepare();
        entry.opcode = IORING_OP_ASYNC_CANCEL;
        entry.fd = -1;
        entry.cancel_flags = CancelAll | CancelAny;
        entry.user_data = CancelToken;
    }

    private void WaitForAll(Span<HiddenRead> reads)
    {
        while (true)
        {
            SyscallResult waited = _ring.SubmitAndWait();
            while (_ring.TryTake(out ulong token, out SyscallResult result))
            {
                if (token != CancelToken)
                {
                    reads[(int)token].Result = Settled(result);
                }
            }

            if (!waited.Failed)
            {
                return;
            }

            if (!waited.WaitExpired)
            {
                // The kernel may still write into these pages, and nothing would tell when it has stopped.
                Environment.FailFast($"Reads may be in flight that cannot be waited for: io_uring_enter failed with {waited.ErrorName}.");
            }

            // The cancel missed a read that was queued to be tried again, because its socket looked readable. Two records without content
            // in a row do that on Linux 6.1: the second try takes the second record and then waits. Without another cancel it would wait,
            // and the loop with it, for as long as the peer likes.
            PrepareCancel(_ring);
        }
    }

    // Nothing is in flight, so this cancels nothing: it asks whether the kernel knows how, and whether it lets this process submit.
    private static SyscallResult TryCancel(IoUring ring)
    {
        PrepareCancel(ring);
        SyscallResult asked = ring.SubmitAndWait();
        if (asked.Failed)
        {
            return asked;
        }

        return ring.TryTake(out _, out SyscallResult answer) && answer.Invalid ? SyscallResult.FromError(EOPNOTSUPP) : default;
    }

    private void RequirePinned()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_pinned)
        {
            throw new InvalidOperationException("No pages are pinned.");
        }
    }

    // A read that was taken back, or whose worker was, has read nothing.
    private static SyscallResult Settled(SyscallResult result) => result.Canceled || result.Interrupted ? SyscallResult.NotYet : result;

    /// <summary>What a ring can hold: the kernel's own limit is 32 768 entries (IORING_MAX_ENTRIES, io_uring/io_uring.c).</summary>
    public const int ReadsMaxLimit = 4095;

    // io_uring/rsrc.c: a buffer is at most SZ_1G.
    private const long BufferBytesMax = 1L << 30;

    // No read has this number.
    private const ulong CancelToken = ulong.MaxValue;

    // include/uapi/linux/fs.h: RWF_NOWAIT.
    private const int NoWaitFlag = 8;

    // include/uapi/linux/io_uring.h: IORING_ASYNC_CANCEL_ALL, IORING_ASYNC_CANCEL_ANY (Linux 5.19).
    private const uint CancelAll = 1 << 0;
    private const uint CancelAny = 1 << 2;
}
