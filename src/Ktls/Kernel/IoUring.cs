using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Ktls.Kernel;

// Both rings lie in one mapping that the kernel shares; whoever writes an index owns it, and what it covers is published with it:
//
//     submission   head: kernel     tail: here       array: entry i of the ring is entry i of the other mapping, once and for all
//     completion   head: here       tail: kernel
//
// As every call submits all that is prepared, head and tail of the submission ring are equal between calls.

/// <summary>
/// One io_uring instance for one thread: entries are prepared, one call submits them all and waits for them, and their completions are
/// taken in whatever order they came. Source: io_uring_setup(2), io_uring_enter(2), include/uapi/linux/io_uring.h.
/// </summary>
internal sealed unsafe class IoUring : IDisposable
{
    private readonly int _descriptor;
    private readonly io_uring_params _parameters;
    private byte* _rings;
    private io_uring_sqe* _entries;
    private uint _prepared;

    private IoUring(int descriptor, io_uring_params parameters)
    {
        _descriptor = descriptor;
        _parameters = parameters;
    }

    /// <summary>Makes an instance, or tells why this machine or this process gets none.</summary>
    /// <param name="entriesMax">Entries one call submits at most.</param>
    /// <param name="refusal">
    /// <see cref="SyscallResult.NoSuchCall"/>, <see cref="SyscallResult.NotPermitted"/> (kernel.io_uring_disabled, a container's seccomp
    /// filter), <see cref="SyscallResult.OutOfResources"/>, or <see cref="SyscallResult.NotSupported"/> (Linux before 5.11).
    /// </param>
    public static IoUring? TryCreate(int entriesMax, out SyscallResult refusal)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(entriesMax);
        io_uring_params parameters = default;
        // The kernel sets O_CLOEXEC itself.
        refusal = SyscallResult.From(io_uring_setup((uint)entriesMax, &parameters));
        if (refusal.Failed)
        {
            return null;
        }

        IoUring ring = new(refusal.Value, parameters);
        refusal = ring.Map();
        if (!refusal.Failed)
        {
            return ring;
        }

        ring.Dispose();
        return null;
    }

    /// <summary>The next entry, all zero, to be filled in before <see cref="SubmitAndWait"/>.</summary>
    public ref io_uring_sqe Prepare()
    {
        if (_prepared == _parameters.sq_entries)
        {
            throw new InvalidOperationException($"{_prepared} entries are prepared already, and there are no more.");
        }

        uint index = (*SubmissionTail + _prepared++) & (_parameters.sq_entries - 1);
        ref io_uring_sqe entry = ref _entries[index];
        entry = default;
        return ref entry;
    }

    /// <summary>Entries whose completion has not been taken yet.</summary>
    public int Outstanding { get; private set; }

    /// <summary>
    /// Submits what is prepared and waits until every outstanding entry has completed, or a tenth of a millisecond is over, or a signal
    /// comes.
    /// </summary>
    /// <returns>
    /// <see cref="SyscallResult.WaitExpired"/>: entries are still in flight. Any other error: likewise, and the instance is unusable.
    /// </returns>
    public SyscallResult SubmitAndWait()
    {
        uint toSubmit = _prepared;
        _prepared = 0;
        Outstanding += (int)toSubmit;
        Volatile.Write(ref *SubmissionTail, *SubmissionTail + toSubmit);
        do
        {
            // What the kernel took, it takes once; it stops early at an entry it refuses (which completes with the error) and when memory
            // is short. An error means that it took nothing this time.
            SyscallResult entered = Enter(toSubmit);
            if (!entered.Failed)
            {
                toSubmit -= (uint)entered.Value;
            }
            else if (entered is { WaitExpired: false, Interrupted: false, WouldBlock: false, Busy: false })
            {
                return entered;
            }
        }
        while (toSubmit > 0);

        // The kernel says that the time is over only when nothing at all has completed, so the count is what tells.
        return Completed == Outstanding ? default : SyscallResult.FromError(ETIME);
    }

    /// <summary>Takes the next completion.</summary>
    public bool TryTake(out ulong token, out SyscallResult result)
    {
        if (Completed == 0)
        {
            (token, result) = (0, default);
            return false;
        }

        uint head = *CompletionHead;
        io_uring_cqe* completion = (io_uring_cqe*)(_rings + _parameters.cq_off.cqes) + (head & (_parameters.cq_entries - 1));
        (token, result) = (completion->user_data, SyscallResult.FromCompletion(completion->res));
        Volatile.Write(ref *CompletionHead, head + 1);
        Outstanding--;
        return true;
    }

    /// <summary>Pins memory as fixed buffer 0. Source: io_uring_register(2), IORING_REGISTER_BUFFERS.</summary>
    public SyscallResult RegisterBuffer(nint address, long bytes)
    {
        iovec buffer = new() { iov_base = (void*)address, iov_len = (size_t)(ulong)bytes };
        return SyscallResult.From(io_uring_register(_descriptor, IORING_REGISTER_BUFFERS, &buffer, 1));
    }

    /// <summary>Lets the pinned memory go at once; closing alone leaves that to a worker of the kernel, some time later.</summary>
    public void UnregisterBuffer() => _ = io_uring_register(_descriptor, IORING_UNREGISTER_BUFFERS, null, 0);

    public void Dispose()
    {
        if (_entries != null)
        {
            _ = munmap(_entries, (size_t)EntriesBytes);
        }

        if (_rings != null)
        {
            _ = munmap(_rings, (size_t)RingsBytes);
        }

        _ = close(_descriptor);
    }

    private SyscallResult Enter(uint toSubmit)
    {
        WaitTime time = new() { Nanoseconds = WaitNanoseconds };
        WaitArgument argument = new() { Time = &time };
        uint flags = IORING_ENTER_GETEVENTS | EnterWithArgument;
        // Tmds.LibC's io_uring_enter has no way to say how long to wait.
        return SyscallResult.From((long)syscall(EnterNumber, _descriptor, toSubmit, Outstanding, flags, &argument, sizeof(WaitArgument)));
    }

    private SyscallResult Map()
    {
        if ((_parameters.features & FeaturesNeeded) != FeaturesNeeded)
        {
            return SyscallResult.FromError(EOPNOTSUPP);
        }

        SyscallResult mapped = Map(RingsBytes, IORING_OFF_SQ_RING, out void* rings);
        if (mapped.Failed)
        {
            return mapped;
        }

        _rings = (byte*)rings;
        mapped = Map(EntriesBytes, IORING_OFF_SQES, out void* entries);
        if (mapped.Failed)
        {
            return mapped;
        }

        _entries = (io_uring_sqe*)entries;
        uint* array = (uint*)(_rings + _parameters.sq_off.array);
        for (uint i = 0; i < _parameters.sq_entries; i++)
        {
            array[i] = i;
        }

        return default;
    }

    private SyscallResult Map(ulong bytes, ulong offset, out void* mapped)
    {
        mapped = mmap(null, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, _descriptor, (long)offset);
        if (mapped != MAP_FAILED)
        {
            return default;
        }

        mapped = null;
        return SyscallResult.From(-1);
    }

    private int Completed => (int)(Volatile.Read(ref *CompletionTail) - *CompletionHead);

    private uint* SubmissionTail => (uint*)(_rings + _parameters.sq_off.tail);

    private uint* CompletionHead => (uint*)(_rings + _parameters.cq_off.head);

    private uint* CompletionTail => (uint*)(_rings + _parameters.cq_off.tail);

    private ulong RingsBytes => Math.Max(
        _parameters.sq_off.array + _parameters.sq_entries * (ulong)sizeof(uint),
        _parameters.cq_off.cqes + _parameters.cq_entries * (ulong)sizeof(io_uring_cqe));

    private ulong EntriesBytes => _parameters.sq_entries * (ulong)sizeof(io_uring_sqe);

    // struct io_uring_getevents_arg, without a signal mask.
    private struct WaitArgument
    {
        public ulong SignalMask;
        public uint SignalMaskBytes;
        public uint Reserved;
        public WaitTime* Time;
    }

    // struct __kernel_timespec.
    private struct WaitTime
    {
        public long Seconds;
        public long Nanoseconds;
    }

    // Longer than a worker of the kernel needs to find that there is nothing to read, and so short that a peer who makes a loop wait for it
    // each time gains nothing.
    private const long WaitNanoseconds = 100_000;

    // include/uapi/linux/io_uring.h: IORING_ENTER_EXT_ARG, IORING_FEAT_EXT_ARG (Linux 5.11).
    private const uint EnterWithArgument = 1 << 3;
    private const uint FeatureArgument = 1 << 8;

    private static uint FeaturesNeeded => IORING_FEAT_SINGLE_MMAP | FeatureArgument;

    // include/uapi/asm-generic/unistd.h; the same on every architecture.
    private const int EnterNumber = 426;
}
