using Aead.Pages;
using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>One source's read into a hidden slot. The source owns it; only the loop's thread touches it.</summary>
internal sealed class TurnRead
{
    /// <summary>What is being filled; null when no read is under way.</summary>
    public PinnedSlot? Slot { get; set; }

    /// <summary>Valid once <see cref="IsComplete"/>.</summary>
    public SyscallResult Result { get; set; }

    /// <summary>The read has completed, and what it read has not been taken.</summary>
    public bool IsComplete { get; set; }
}

/// <summary>
/// The kernel's receiving half of one event loop: its ring, its pinned pages, and the reads of the current turn, which make one system call
/// for all connections that are ready. Every read completes within that call, so none outlives its turn. For the loop's thread only.
/// </summary>
internal sealed class HiddenReceive(IHiddenReads ring, PinnedPages pages) : IDisposable
{
    private readonly HiddenRead[] _reads = new HiddenRead[ring.ReadsMax];
    private readonly TurnRead[] _turn = new TurnRead[ring.ReadsMax];
    private readonly HiddenRead[] _single = new HiddenRead[1];
    private int _count;

    /// <summary>The slots.</summary>
    public PinnedPages Pages { get; } = pages;

    /// <summary>Joins the reads of this turn, if there is a slot to spare; without one the source reads when its turn comes.</summary>
    public void Join(TurnRead read, int descriptor)
    {
        // One slot is left for reads that turn up during the turn.
        if (_count == _reads.Length || read.Slot != null || Pages.SlotsFree <= 1 || !Pages.TryRent(out PinnedSlot? slot))
        {
            return;
        }

        read.Slot = slot;
        _turn[_count] = read;
        _reads[_count++] = ReadInto(slot, descriptor);
    }

    /// <summary>Reads for all that joined.</summary>
    public void Submit()
    {
        if (_count == 0)
        {
            return;
        }

        Fill(_reads.AsSpan(0, _count));
        for (int i = 0; i < _count; i++)
        {
            _turn[i].Result = _reads[i].Result;
            _turn[i].IsComplete = true;
        }
    }

    /// <summary>Reads for one source, now.</summary>
    public void Read(TurnRead read, int descriptor)
    {
        if (!Pages.TryRent(out PinnedSlot? slot))
        {
            throw new InvalidOperationException("No hidden slot is left, although one is never lent.");
        }

        read.Slot = slot;
        _single[0] = ReadInto(slot, descriptor);
        Fill(_single);
        read.Result = _single[0].Result;
        read.IsComplete = true;
    }

    /// <summary>Takes what a completed read brought, and settles its slot.</summary>
    /// <returns>The verified bytes, or null; <paramref name="result"/> tells why there are none.</returns>
    public ExposedPages? Take(TurnRead read, out SyscallResult result)
    {
        PinnedSlot slot = read.Slot!;
        result = read.Result;
        (read.Slot, read.IsComplete) = (null, false);
        return Pages.Settle(slot, result.Failed ? 0 : result.Value, slot.Bytes);
    }

    /// <summary>Ends the turn: what its reads brought for connections that are closed by now is zeroed unseen.</summary>
    public void EndTurn()
    {
        for (int i = 0; i < _count; i++)
        {
            if (_turn[i].IsComplete)
            {
                Discard(_turn[i]);
            }

            _turn[i] = null!;
        }

        _count = 0;
        Pages.Tidy();
    }

    /// <summary>Zeroes what a completed read brought, unseen.</summary>
    /// <returns>What the read had come to.</returns>
    public SyscallResult Discard(TurnRead read)
    {
        PinnedSlot slot = read.Slot!;
        (read.Slot, read.IsComplete) = (null, false);
        _ = Pages.Settle(slot, 0, slot.Bytes);
        return read.Result;
    }

    public void Dispose()
    {
        Pages.Dispose();
        ring.Dispose();
    }

    // Empty records of data in front of a control record read like the FIN, but only once.
    private void Fill(Span<HiddenRead> reads)
    {
        ring.Submit(reads);
        for (int i = 0; i < reads.Length; i++)
        {
            if (reads[i].Result.MovedNothing)
            {
                ring.Submit(reads.Slice(i, 1));
            }
        }
    }

    private static HiddenRead ReadInto(PinnedSlot slot, int descriptor) =>
        new() { Descriptor = descriptor, Address = slot.TargetAddress, Length = slot.Bytes };
}
