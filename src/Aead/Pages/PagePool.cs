namespace Aead.Pages;

/// <summary>Numbers for start-up lines, metrics and doctor.</summary>
/// <param name="SlotBytes">Bytes of one slot.</param>
/// <param name="SlotsMax">The bound in force, after locking limits.</param>
/// <param name="SlotsMapped">Slots mapped so far.</param>
/// <param name="SlotsInUse">Slots that are out: stages and flipped leases.</param>
/// <param name="BytesLocked">Bytes mlocked.</param>
/// <param name="CopyBytesInUse">Bytes of verified copies that are out.</param>
/// <param name="CopyBytesMax">Their bound.</param>
/// <param name="Notice">What was shrunk or not locked and how to change it, as a sentence; null when all is as asked.</param>
public sealed record PagePoolStatus(int SlotBytes, int SlotsMax, int SlotsMapped, int SlotsInUse, long BytesLocked, long CopyBytesInUse, long CopyBytesMax, string? Notice);

/// <summary>The policy cannot be met on this machine; the message names the remedy.</summary>
public sealed class PagePoolException : Exception
{
    /// <summary>With the sentence for the operator.</summary>
    public PagePoolException(string message) : base(message) { }
}

/// <summary>
/// The bounded pool of guarded slots and of verified copies. Exhaustion never stalls: a batch that finds no slot to flip is copied out, and
/// copies over their bound are still handed out (one batch per thread at most) while <see cref="IsOverBudget"/> tells the transport to shed.
/// Thread-safe.
/// </summary>
public sealed class PagePool : IDisposable
{
    /// <summary>Maps the first slots.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="stages">How many stages will be created at most; their slots are set aside.</param>
    /// <exception cref="PagePoolException">The policy cannot be met.</exception>
    public static PagePool Create(PagePolicy policy, int stages) => throw null!;

    /// <summary>The policy in force.</summary>
    public PagePolicy Policy => throw null!;

    /// <summary>A snapshot of the numbers.</summary>
    public PagePoolStatus Status => throw null!;

    /// <summary>Verified copies exceed their bound: the slowest holders must go.</summary>
    public bool IsOverBudget => throw null!;

    /// <summary>Few slots or copies are left: holders of small remainders should <see cref="ExposedPages.Shrink"/> them.</summary>
    public bool IsUnderPressure => throw null!;

    /// <summary>A stage with its own slot.</summary>
    /// <exception cref="InvalidOperationException">More stages than set aside.</exception>
    public DecryptStage CreateStage() => throw null!;

    /// <summary>Unmaps everything. All leases must be back.</summary>
    public void Dispose() => throw null!;
}
