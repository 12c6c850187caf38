using System.Collections.Immutable;
using System.Numerics;
using Aead.Pages;
using FsCheck;
using FsCheck.Experimental;
using FsCheck.Fluent;
using TestKit;
using Xunit;
using Operation = FsCheck.Experimental.Operation<Aead.Tests.Pages.ObservedPool, Aead.Tests.Pages.PoolState>;

namespace Aead.Tests.Pages;

// A random story of batches, reads, pins, shrinks and disposals is told to a real pool and to a model that is
// nothing but a list of leases. After each step an observer looks at every address anybody has or had
// (ObservedPool.Observe), and in the end the pool must be as it was in the beginning.
[Trait("Claim", "I4")]
public sealed class PagePoolModel
{
    [Cases(50)]
    public Property PlaintextIsSeenOnlyWhileVerifiedAndLeased() => new PoolMachine().ToProperty();
}

/// <summary>
/// What the model knows of one lease: bytes <c>Start</c> to <c>Start + Length</c> of the batch <c>Seed</c>.
/// </summary>
internal sealed record LeaseState(
    int Seed, int Start, int Length, bool InSlot, bool Disposed = false, int Pins = 0)
{
    internal bool IsLive => !Disposed || Pins > 0;

    internal byte[] Bytes => TestPool.Bytes(Seed, Start + Length)[Start..];
}

/// <summary>
/// The model: how batches are delivered, how many slots can be flipped, and every lease there ever was.
/// </summary>
internal sealed record PoolState(Delivery Delivery, int SlotsToFlip, ImmutableList<LeaseState> Leases)
{
    internal const int FlipThreshold = 30_000;

    internal int Flipped => Leases.Count(lease => lease.IsLive && lease.InSlot);

    internal long CopyBytes =>
        Leases.Where(lease => lease.IsLive && !lease.InSlot).Sum(lease => BlockBytes(lease.Length));

    internal PoolState Decrypted(int seed, int verified)
    {
        if (verified == 0)
        {
            return this;
        }

        bool flips = Delivery == Delivery.Flip || (Delivery == Delivery.Auto && verified >= FlipThreshold);
        return Added(new LeaseState(seed, 0, verified, InSlot: flips && Flipped < SlotsToFlip));
    }

    internal PoolState Added(LeaseState lease) => this with { Leases = Leases.Add(lease) };

    internal PoolState With(int index, Func<LeaseState, LeaseState> change) =>
        this with { Leases = Leases.SetItem(index, change(Leases[index])) };

    private static long BlockBytes(int length) =>
        Math.Max(512, BitOperations.RoundUpToPowerOf2((uint)length));
}

internal sealed class PoolMachine() : Machine<ObservedPool, PoolState>(maxNumberOfCommands: 40)
{
    public override Arbitrary<Setup<ObservedPool, PoolState>> Setup => (
        from delivery in Gen.Elements(Enum.GetValues<Delivery>())
        from slotsToFlip in Gen.Choose(0, 3)
        select (Setup<ObservedPool, PoolState>)new PoolSetup(delivery, slotsToFlip)).ToArbitrary();

    public override TearDown<ObservedPool> TearDown => new PoolTearDown();

    public override Gen<Operation> Next(PoolState state)
    {
        Gen<Operation> decrypt =
            from seed in Gen.Choose(1, 1000)
            from verified in Gen.Frequency(
                (1, Gen.Constant(0)),
                (3, Gen.Choose(1, 2000)),
                (4, Gen.Choose(1, TestPool.SlotBytes)),
                (1, Gen.Constant(TestPool.SlotBytes)))
            from failed in Gen.Choose(0, TestPool.SlotBytes - verified)
            select (Operation)new Decrypt(seed, verified, failed);
        if (state.Leases.IsEmpty)
        {
            return decrypt;
        }

        Gen<int> lease = Gen.Choose(0, state.Leases.Count - 1);
        Gen<Operation> shrink =
            from index in lease
            from start in Gen.Choose(0, state.Leases[index].Length - 1)
            select (Operation)new Shrink(index, start);
        return Gen.Frequency(
            (4, decrypt),
            (3, lease.Select(index => (Operation)new DisposeLease(index))),
            (2, lease.Select(index => (Operation)new Read(index))),
            (2, lease.Select(index => (Operation)new Pin(index))),
            (2, lease.Select(index => (Operation)new Unpin(index))),
            (1, shrink));
    }
}

internal sealed class PoolSetup(Delivery delivery, int slotsToFlip) : Setup<ObservedPool, PoolState>
{
    public override ObservedPool Actual() => new(delivery, slotsToFlip);

    public override PoolState Model() => new(delivery, slotsToFlip, []);

    public override string ToString() => $"{delivery}, {slotsToFlip} slots to flip";
}

internal sealed class PoolTearDown : TearDown<ObservedPool>
{
    public override void Actual(ObservedPool pool) => pool.GiveAllBack();
}
