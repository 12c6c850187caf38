using Aead.Pages;

namespace Ktls.Kernel;

/// <summary>
/// Reads into pages that no thread of this process can read or write (io_uring fixed buffers). Many reads make one system call, and when it
/// returns every one of them is complete: no read outlives <see cref="Submit"/>. One per loop, for its thread only.
/// </summary>
internal interface IHiddenReads : IPinnedWriter, IDisposable
{
    /// <summary>Reads one <see cref="Submit"/> takes at most.</summary>
    int ReadsMax { get; }

    /// <summary>Reads what kTLS has verified or will verify into pinned pages, and waits for all of them.</summary>
    /// <param name="reads">At most <see cref="ReadsMax"/>; each gets its <see cref="HiddenRead.Result"/>.</param>
    void Submit(Span<HiddenRead> reads);
}

/// <summary>One read and its result.</summary>
internal struct HiddenRead
{
    /// <summary>A socket that receives by kTLS.</summary>
    public required int Descriptor { get; init; }

    /// <summary>Where in the pinned pages, by the address they were pinned at.</summary>
    public required nint Address { get; init; }

    /// <summary>Bytes to read at most.</summary>
    public required int Length { get; init; }

    /// <summary>
    /// Bytes of verified application data (0: the peer's FIN), or why there are none. Whatever lies behind those bytes, and all of it after
    /// an error, may be unverified plaintext.
    /// </summary>
    public SyscallResult Result { get; set; }
}
