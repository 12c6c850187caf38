using Ktls.Kernel;
using TestKit.Pages;

namespace Ktls.Tests.Kernel;

/// <summary>
/// Hidden reads from fake kernels. Where io_uring writes by a number that nothing maps, this writes through an alias that it alone knows,
/// and leaves behind what real kernels leave. Not thread-safe, as the real one is not.
/// </summary>
internal sealed class FakeHiddenReads(params FakeKernel[] sockets) : IHiddenReads
{
    private readonly Dictionary<int, FakeKernel> _sockets = sockets.ToDictionary(socket => socket.Descriptor);
    private readonly PinnedAlias _pages = new();

    public int ReadsMax { get; init; } = 64;

    /// <summary>How many reads each submission had.</summary>
    public List<int> Submissions { get; } = [];

    /// <summary>Every range zeroed, in order.</summary>
    public List<(nint Address, int Bytes)> Zeroed { get; } = [];

    /// <summary>Called for each read when the pages are filled and nobody has been told.</summary>
    public Action<HiddenRead>? Filled { get; set; }

    /// <summary>Called before a range is zeroed.</summary>
    public Action<nint, int>? Zeroing
    {
        get => _pages.BeforeZero;
        set => _pages.BeforeZero = value;
    }

    /// <summary>One socket more.</summary>
    public void Add(FakeKernel socket) => _sockets.Add(socket.Descriptor, socket);

    /// <summary>What lies in pinned pages, whoever may or may not see it.</summary>
    public byte[] Peek(nint address, int bytes) => _pages.Read(address, bytes);

    public void Pin(nint address, long bytes) => _pages.Pin(address, bytes);

    public void Zero(nint address, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        _pages.Zero(address, bytes);
        Zeroed.Add((address, bytes));
    }

    public void Submit(Span<HiddenRead> reads)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reads.Length, ReadsMax);
        Submissions.Add(reads.Length);
        foreach (ref HiddenRead read in reads)
        {
            byte[] pages = _pages.Read(read.Address, read.Length);
            read.Result = _sockets[read.Descriptor].ReadHidden(pages);
            _pages.Write(read.Address, pages);
            Filled?.Invoke(read);
        }
    }

    public void Dispose() => _pages.Dispose();
}
