namespace Aead.Pages;

/// <summary>How verified bytes reach their consumer.</summary>
public enum Delivery
{
    /// <summary>Flip from <see cref="PagePolicy.FlipThreshold"/> bytes on, copy below.</summary>
    Auto,

    /// <summary>Always flip the hidden slot itself to read-only.</summary>
    Flip,

    /// <summary>Always copy the verified bytes out of the hidden slot.</summary>
    Copy,
}

/// <summary>What to do when RLIMIT_MEMLOCK is too low.</summary>
public enum Locking
{
    /// <summary>Shrink the pool to what may be locked, and say so.</summary>
    BestEffort,

    /// <summary>Refuse to start, with the remedy.</summary>
    Required,
}

/// <summary>The whole policy of the page pool.</summary>
public sealed record PagePolicy
{
    /// <summary>
    /// The built-in n*: never flip. Measured with two threads on hot data (docs/decisions).
    /// </summary>
    public const int NeverFlip = int.MaxValue;

    /// <summary>Flip or copy. Defaults to Auto.</summary>
    public Delivery Delivery { get; init; } = Delivery.Auto;

    /// <summary>
    /// n*: the batch size in bytes from which Auto flips. Defaults to <see cref="NeverFlip"/>.
    /// </summary>
    public int FlipThreshold { get; init; } = NeverFlip;

    /// <summary>
    /// Bound of the guarded slots, and again of the verified copies, in bytes. Defaults to 256 MiB.
    /// </summary>
    public long BytesMax { get; init; } = 256L << 20;

    /// <summary>What to do when RLIMIT_MEMLOCK is too low. Defaults to BestEffort.</summary>
    public Locking Locking { get; init; } = Locking.BestEffort;

    /// <summary>
    /// Whether a batch of this many verified bytes is flipped (when a slot can be had) and not copied.
    /// </summary>
    public bool Flips(int verifiedLength) => Delivery switch
    {
        Delivery.Flip => true,
        Delivery.Copy => false,
        _ => verifiedLength >= FlipThreshold,
    };
}
