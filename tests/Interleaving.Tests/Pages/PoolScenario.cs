using System.Buffers;
using Aead.Pages;
using Interleaving.Tests.Scheduling;
using TestKit.Pages;
using Xunit;

namespace Interleaving.Tests.Pages;

/// <summary>
/// A small page pool of which every batch of <see cref="Batch"/> bytes is flipped, and what every scenario demands of it in the end: nothing
/// is held, nothing can be read, everything is zero, and each slot is lent once.
/// </summary>
internal abstract class PoolScenario : IScenario
{
    private readonly List<nint> _exposed = [];

    /// <param name="pool">In its start state, to which the scenario brings it back.</param>
    protected PoolScenario(PagePool pool)
    {
        Pool = pool;
        Stage = Pool.CreateStage();
    }

    /// <summary>Explores a scenario over a small pool.</summary>
    public static void Explore(Func<PagePool, IScenario> tell, Delivery delivery = Delivery.Flip)
    {
        PagePool pool = SmallPool(delivery);
        Exploration.Explore(() => tell(pool));

        // Not after a failure, whose remains would hide it.
        pool.Dispose();
    }

    /// <summary>A pool with few slots.</summary>
    /// <param name="delivery">Whether batches are flipped or copied.</param>
    /// <param name="slots">The bound; 16 are mapped at a time.</param>
    protected static PagePool SmallPool(Delivery delivery = Delivery.Flip, int slots = 4) => PagePool.Create(
        new PagePolicy { Delivery = delivery, FlipThreshold = 1, BytesMax = (long)slots * PagePool.SlotBytes }, Stages);

    public abstract IReadOnlyList<Action> Actions { get; }

    protected PagePool Pool { get; }

    protected DecryptStage Stage { get; }

    public virtual void Check()
    {
        Stage.Dispose();
        Assert.Equal(0, Pool.Status.SlotsInUse);
        Assert.Equal(0, Pool.Status.CopyBytesInUse);
        Assert.All(_exposed, address => Assert.True(IsHidden(address, PagePool.SlotBytes), "A slot that came back can be read."));
        AssertEachSlotIsLentOnce();
    }

    public virtual void Dispose()
    {
    }

    /// <summary>A lease on bytes of this value.</summary>
    protected ExposedPages Decrypt(byte value) => Decrypt(Stage, value);

    protected ExposedPages Decrypt(DecryptStage stage, byte value)
    {
        Assert.False(stage.Hidden.ContainsAnyExcept((byte)0), "A slot is filled that still holds another batch.");
        stage.Hidden[..Batch].Fill(value);
        Assert.False(PageProbe.TryRead(stage.ReaderAddress, new byte[1]), "The slot that is filled can be read.");
        ExposedPages lease = stage.Expose(Batch, Batch)!;
        if (lease.HoldsSlot)
        {
            using MemoryHandle pin = lease.Pin();
            lock (_exposed)
            {
                _exposed.Add(AddressOf(pin));
            }
        }

        return lease;
    }

    /// <summary>Pins a lease, if it has not ended, and looks twice with whatever may happen in between.</summary>
    /// <returns>False: the lease had ended.</returns>
    protected static bool LooksWhilePinned(ExposedPages lease, byte value)
    {
        try
        {
            using MemoryHandle pin = lease.Pin();
            Turn.Point("looks");
            AssertHolds(AddressOf(pin), value);
            Turn.Point("looks again");
            AssertHolds(AddressOf(pin), value);
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    protected static void AssertHolds(nint address, byte value)
    {
        byte[]? seen = PageProbe.Read(address, Batch);
        Assert.True(seen != null, "Bytes that are held cannot be read.");
        Assert.Equal(-1, seen.AsSpan().IndexOfAnyExcept(value));
    }

    /// <summary>Its ends are, and thus all of it: a slot is one mapping.</summary>
    protected static bool IsHidden(nint address, int bytes) => PageProbe.IsHidden(address, 1) && PageProbe.IsHidden(address + bytes - 1, 1);

    protected static unsafe nint AddressOf(in MemoryHandle pin) => (nint)pin.Pointer;

    private void AssertEachSlotIsLentOnce()
    {
        HashSet<nint> seen = [];
        List<StageSlot> lent = [];
        while (Pool.RentForFlip() is { } slot)
        {
            lent.Add(slot);
            Assert.True(seen.Add(slot.ReaderAddress), "A slot was lent twice.");
            Assert.False(slot.WriterView().ContainsAnyExcept((byte)0), "A free slot is not zero.");
        }

        Assert.Equal(Pool.Status.SlotsMapped - Stages, lent.Count);
        lent.ForEach(slot => slot.Expose());
        lent.ForEach(slot => slot.TakeBack(0));
    }

    protected const int Batch = 64;
    private const int Stages = 2;
}
