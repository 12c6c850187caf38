using System.Collections.Concurrent;

namespace Aead.Pages;

/// <summary>
/// The bounded pool of guarded slots and of verified copies. Exhaustion never stalls: a batch that finds no
/// slot to flip is copied out, and copies over their bound are still handed out (one batch per thread at
/// most) while <see cref="IsOverBudget"/> tells the transport to shed. Thread-safe.
/// </summary>
public sealed class PagePool : IDisposable
{
    private readonly SlotPool _slots;
    private readonly CopyBudget _budget;
    private readonly CopyPool _joined;
    private readonly ConcurrentBag<CopyPool> _openedBefore = [];

    private PagePool(PagePolicy policy, SlotPool slots, int stages)
    {
        Policy = policy;
        _slots = slots;
        _budget = new CopyBudget(policy.BytesMax, stages);
        _joined = new CopyPool(SlotBytes, _budget);
    }

    /// <summary>Maps the first slots.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="stages">How many stages will be created at most; their slots are set aside.</param>
    /// <exception cref="PagePoolException">The policy cannot be met.</exception>
    public static PagePool Create(PagePolicy policy, int stages)
    {
        ArgumentNullException.ThrowIfNull(policy);
        long wanted = LockPlan.BytesWanted(policy, stages, SlotBytes);
        return Create(policy, stages, LockPlan.LockableBytes(wanted, SlotBytes));
    }

    /// <summary>The policy in force.</summary>
    public PagePolicy Policy { get; }

    /// <summary>A snapshot of the numbers.</summary>
    public PagePoolStatus Status
    {
        get
        {
            SlotCounts slots = _slots.Count();
            return new PagePoolStatus(SlotBytes, slots.Max, slots.Mapped, slots.InUse, slots.BytesLocked,
                _budget.BytesInUse, _budget.BytesMax, slots.Notice);
        }
    }

    /// <summary>Verified copies exceed their bound: the slowest holders must go.</summary>
    public bool IsOverBudget => _budget.IsExceeded;

    /// <summary>
    /// Few slots are left to flip: holders of remainders should move them out by
    /// <see cref="ExposedPages.Join"/>.
    /// </summary>
    public bool IsUnderPressure => _slots.IsUnderPressure;

    /// <summary>A stage with its own slot.</summary>
    /// <exception cref="InvalidOperationException">More stages than set aside.</exception>
    public DecryptStage CreateStage() => new(this, _slots.RentForStage(), OpenCopies());

    /// <summary>Unmaps everything. All stages and leases on slots must be back.</summary>
    /// <exception cref="InvalidOperationException">They are not; nothing was unmapped.</exception>
    public void Dispose() => _slots.Dispose();

    /// <summary>As the public one, for a process that may lock <paramref name="lockableBytes"/>.</summary>
    internal static PagePool Create(PagePolicy policy, int stages, long lockableBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stages);
        ArgumentOutOfRangeException.ThrowIfNegative(policy.FlipThreshold, nameof(policy));
        if (policy.BytesMax / SlotBytes < stages)
        {
            throw new PagePoolException(
                $"The page pool is bounded to {policy.BytesMax} bytes, but {stages} decrypt stages need " +
                $"{stages * (long)SlotBytes}. Raise the bound.");
        }

        LockPlan plan = LockPlan.Make(policy, stages, SlotBytes, lockableBytes, LockPlan.LimitInForce());
        try
        {
            return new PagePool(policy, new SlotPool(plan, policy.Locking, stages, SlotBytes), stages);
        }
        catch (PageMapException refused)
        {
            throw new PagePoolException($"Guarded pages cannot be had here: {refused.Message}", refused);
        }
    }

    /// <summary>
    /// A hidden, zeroed slot in exchange for one that is flipped; null when there is none to spare.
    /// </summary>
    internal StageSlot? RentForFlip() => _slots.RentForFlip();

    /// <summary>Where one thread takes its copies from, so that it shares no lock with others.</summary>
    internal CopyPool OpenCopies() =>
        _openedBefore.TryTake(out CopyPool? copies) ? copies : new CopyPool(SlotBytes, _budget);

    /// <summary>The next who opens one may have it; copies that are still out come back to it all the same.</summary>
    internal void CloseCopies(CopyPool copies) => _openedBefore.Add(copies);

    /// <summary>A lease on a copy of bytes that verified.</summary>
    internal ExposedPages CopyOut(ReadOnlySpan<byte> verified, CopyPool copies)
    {
        ExposedPages copy = new ExposedPages(this, copies.Rent(verified.Length), verified.Length);
        verified.CopyTo(copy.GetSpan());
        return copy;
    }

    /// <summary>A lease on a copy that is about to be filled with what several leases held.</summary>
    internal ExposedPages RentJoined(int length) => new ExposedPages(this, _joined.Rent(length), length);

    /// <summary>The end of a stage. It does not say what it wrote, so all of its slot is zeroed.</summary>
    internal void TakeBackStage(StageSlot slot, CopyPool copies)
    {
        slot.Zero(0, slot.Bytes);
        _slots.ReturnFromStage(slot);
        CloseCopies(copies);
    }

    /// <summary>Bytes a joined lease holds at most: those of the largest copy.</summary>
    public const int JoinedBytesMax = SlotBytes;

    // Sixteen full records (RFC 8446 section 5.1): one recv, one flip or copy for all of them. A multiple of
    // every page size Linux uses.
    internal const int SlotBytes = 256 << 10;
}
