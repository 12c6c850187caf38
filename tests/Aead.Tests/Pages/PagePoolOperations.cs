using FsCheck;
using FsCheck.Experimental;
using FsCheck.Fluent;
using Xunit;

namespace Aead.Tests.Pages;

/// <summary>One step of the story; every step ends with a look at all pages.</summary>
internal abstract class PoolOperation : Operation<ObservedPool, PoolState>
{
    public sealed override Property Check(ObservedPool pool, PoolState after)
    {
        Act(pool, after);
        pool.Observe(after);
        return true.ToProperty();
    }

    protected abstract void Act(ObservedPool pool, PoolState after);
}

/// <summary>A batch: so many bytes verified, and so many behind them did not.</summary>
internal sealed class Decrypt(int seed, int verified, int failed) : PoolOperation
{
    public override PoolState Run(PoolState state) => state.Decrypted(seed, verified);

    protected override void Act(ObservedPool pool, PoolState after) => pool.Decrypt(seed, verified, verified + failed);

    public override string ToString() => $"Decrypt {verified} bytes of batch {seed}, then {failed} that fail";
}

internal sealed class DisposeLease(int index) : PoolOperation
{
    public override bool Pre(PoolState state) => index < state.Leases.Count;

    // Also of a lease that ended long ago: then nothing happens.
    public override PoolState Run(PoolState state) => state.With(index, lease => lease with { Disposed = true });

    protected override void Act(ObservedPool pool, PoolState after) => pool[index].Lease.Dispose();

    public override string ToString() => $"Dispose lease {index}";
}

internal sealed class Read(int index) : PoolOperation
{
    public override bool Pre(PoolState state) => index < state.Leases.Count;

    public override PoolState Run(PoolState state) => state;

    protected override void Act(ObservedPool pool, PoolState after)
    {
        if (after.Leases[index].Disposed)
            Assert.Throws<ObjectDisposedException>(() => pool[index].Lease.GetSpan());
        else
            TestPool.AssertSame(after.Leases[index].Bytes, pool[index].Lease.GetSpan());
    }

    public override string ToString() => $"Read lease {index}";
}

internal sealed class Pin(int index) : PoolOperation
{
    public override bool Pre(PoolState state) => index < state.Leases.Count;

    public override PoolState Run(PoolState state) =>
        state.With(index, lease => lease.Disposed ? lease : lease with { Pins = lease.Pins + 1 });

    protected override void Act(ObservedPool pool, PoolState after)
    {
        if (after.Leases[index].Disposed)
            Assert.Throws<ObjectDisposedException>(() => pool[index].Lease.Pin());
        else
            pool[index].Pins.Push(pool[index].Lease.Pin());
    }

    public override string ToString() => $"Pin lease {index}";
}

internal sealed class Unpin(int index) : PoolOperation
{
    public override bool Pre(PoolState state) => index < state.Leases.Count;

    public override PoolState Run(PoolState state) =>
        state.With(index, lease => lease with { Pins = Math.Max(0, lease.Pins - 1) });

    protected override void Act(ObservedPool pool, PoolState after)
    {
        if (pool[index].Pins.Count == 0)
            Assert.Throws<InvalidOperationException>(pool[index].Lease.Unpin);
        else
            pool[index].Pins.Pop().Dispose();
    }

    public override string ToString() => $"Unpin lease {index}";
}

internal sealed class Shrink(int index, int start) : PoolOperation
{
    public override bool Pre(PoolState state) => index < state.Leases.Count && start < state.Leases[index].Length;

    public override PoolState Run(PoolState state)
    {
        LeaseState whole = state.Leases[index];
        if (whole.Disposed)
            return state;
        var rest = new LeaseState(whole.Seed, whole.Start + start, whole.Length - start, InSlot: false);
        return state.With(index, lease => lease with { Disposed = true }).Added(rest);
    }

    protected override void Act(ObservedPool pool, PoolState after)
    {
        if (after.Leases.Count == pool.Count)
            Assert.Throws<ObjectDisposedException>(() => pool[index].Lease.Shrink(start));
        else
            pool.Add(pool[index].Lease.Shrink(start));
    }

    public override string ToString() => $"Shrink lease {index} to what follows byte {start}";
}
