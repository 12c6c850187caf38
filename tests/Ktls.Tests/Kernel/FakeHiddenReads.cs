using System.Runtime.InteropServices;
using Ktls.Kernel;

namespace Ktls.Tests.Kernel;

/// <summary>
/// Hidden reads from fake kernels. Where io_uring writes by a number that nothing maps, this writes through an alias that it alone knows,
/// and leaves behind what real kernels leave. Not thread-safe, as the real one is not.
/// </summary>
internal sealed unsafe partial class FakeHiddenReads(params FakeKernel[] sockets) : IHiddenReads
{
    private readonly Dictionary<int, FakeKernel> _sockets = sockets.ToDictionary(socket => socket.Descriptor);
    private nint _alias;
    private nint _pinned;
    private long _pinnedBytes;

    public int ReadsMax { get; init; } = 64;

    /// <summary>Reads for which there is nothing are taken back (Linux 6.1) instead of never waiting (7.2).</summary>
    public bool Cancels { get; set; }

    /// <summary>How many reads each submission had.</summary>
    public List<int> Submissions { get; } = [];

    /// <summary>Every range zeroed, in order.</summary>
    public List<(nint Address, int Bytes)> Zeroed { get; } = [];

    /// <summary>Called for each read when the pages are filled and nobody has been told.</summary>
    public Action<HiddenRead>? Filled { get; set; }

    /// <summary>Called before a range is zeroed.</summary>
    public Action<nint, int>? Zeroing { get; set; }

    /// <summary>One socket more.</summary>
    public void Add(FakeKernel socket) => _sockets.Add(socket.Descriptor, socket);

    /// <summary>What lies in pinned pages, whoever may or may not see it.</summary>
    public byte[] Peek(nint address, int bytes) => Pages(address, bytes).ToArray();

    public void Pin(nint address, long bytes)
    {
        if (_alias != 0)
        {
            throw new InvalidOperationException("Pages are pinned once.");
        }

        // mremap(2): with an old size of 0, a shared mapping gets a second address.
        nint alias = Remap(address, 0, (nuint)bytes, MayMove);
        if (alias == -1)
        {
            throw new InvalidOperationException($"mremap failed with errno {Marshal.GetLastPInvokeError()}: is the mapping shared?");
        }

        (_alias, _pinned, _pinnedBytes) = (alias, address, bytes);
    }

    public void Zero(nint address, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        Span<byte> pages = Pages(address, bytes);
        Zeroing?.Invoke(address, bytes);
        pages.Clear();
        Zeroed.Add((address, bytes));
    }

    public void Submit(Span<HiddenRead> reads)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reads.Length, ReadsMax);
        Submissions.Add(reads.Length);
        foreach (ref HiddenRead read in reads)
        {
            SyscallResult result = _sockets[read.Descriptor].ReadHidden(Pages(read.Address, read.Length));
            read.Result = result.WouldBlock && Cancels ? SyscallResult.FromError(Tmds.Linux.LibC.ECANCELED) : result;
            Filled?.Invoke(read);
        }
    }

    public void Dispose()
    {
        nint alias = Interlocked.Exchange(ref _alias, 0);
        if (alias != 0)
        {
            _ = Unmap(alias, (nuint)_pinnedBytes);
        }
    }

    private Span<byte> Pages(nint address, int bytes)
    {
        long offset = address - _pinned;
        if (_alias == 0 || offset < 0 || bytes < 0 || offset + bytes > _pinnedBytes)
        {
            throw new InvalidOperationException($"{bytes} bytes at {address:x} are not pinned.");
        }

        return new Span<byte>((byte*)_alias + offset, bytes);
    }

    [LibraryImport("libc", EntryPoint = "mremap", SetLastError = true)]
    private static partial nint Remap(nint address, nuint oldBytes, nuint newBytes, int flags);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint bytes);

    // include/uapi/linux/mman.h: MREMAP_MAYMOVE.
    private const int MayMove = 1;
}
