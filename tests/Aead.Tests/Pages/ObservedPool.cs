using System.Buffers;
using Aead.Pages;
using TestKit.Pages;
using Xunit;

namespace Aead.Tests.Pages;

/// <summary>A pool with one stage, and every lease it ever gave with the address its bytes were read at.</summary>
internal sealed class ObservedPool
{
    private readonly PagePool _pool;
    private readonly DecryptStage _stage;
    private readonly PagePoolStatus _start;
    private readonly List<ObservedLease> _leases = [];

    internal ObservedPool(Delivery delivery, int slotsToFlip)
    {
        _pool = TestPool.Create(delivery, slotsToFlip, flipThreshold: PoolState.FlipThreshold);
        _stage = _pool.CreateStage();
        _start = _pool.Status;
    }

    internal int Count => _leases.Count;

    internal ObservedLease this[int index] => _leases[index];

    internal void Add(ExposedPages lease) =>
        _leases.Add(new ObservedLease(lease, TestPool.AddressOf(lease), lease.HoldsSlot, new Stack<MemoryHandle>()));

    internal void Decrypt(int seed, int verified, int written)
    {
        TestPool.Bytes(seed, written).CopyTo(_stage.Hidden);
        Assert.True(PageProbe.IsHidden(_stage.ReaderAddress, TestPool.SlotBytes));
        if (_stage.Expose(verified, written) is { } lease)
            Add(lease);
    }

    /// <summary>Looks at the stage, at every lease's address and at the pool's numbers, and compares with the model.</summary>
    internal void Observe(PoolState state)
    {
        Assert.Equal(state.Leases.Count, _leases.Count);
        Assert.True(PageProbe.IsHidden(_stage.ReaderAddress, TestPool.SlotBytes));
        Assert.Equal(-1, _stage.Hidden.IndexOfAnyExcept((byte)0));

        HashSet<nint> live = [.. _leases.Where((_, index) => state.Leases[index].IsLive).Select(lease => lease.Address)];
        for (int index = 0; index < _leases.Count; index++)
            Observe(_leases[index], state.Leases[index], live);

        PagePoolStatus status = _pool.Status;
        Assert.Equal((1 + state.Flipped, state.CopyBytes), (status.SlotsInUse, status.CopyBytesInUse));
        Assert.Equal(state.CopyBytes > status.CopyBytesMax, _pool.IsOverBudget);
    }

    /// <summary>Ends every lease and pin; the pool must then have what it started with, and let itself be unmapped.</summary>
    internal void GiveAllBack()
    {
        foreach (ObservedLease lease in _leases)
        {
            lease.Lease.Dispose();
            while (lease.Pins.TryPop(out MemoryHandle pin))
                pin.Dispose();
        }

        Assert.Equal(_start, _pool.Status);
        _stage.Dispose();
        _pool.Dispose();
    }

    private static void Observe(ObservedLease lease, LeaseState state, HashSet<nint> live)
    {
        Assert.Equal(state.InSlot, lease.InSlot);
        int visible = lease.InSlot ? TestPool.SlotBytes : state.Length;
        if (state.IsLive)
        {
            // In a slot also what lies behind the verified bytes can be read: it must be zeros.
            byte[] expected = state.Bytes;
            Array.Resize(ref expected, visible);
            TestPool.AssertSame(expected, PageProbe.Read(lease.Address, visible));
            return;
        }

        bool lentAgain = live.Contains(lease.Address);
        if (lease.InSlot)
            Assert.True(lentAgain || PageProbe.IsHidden(lease.Address, visible));
        else if (!lease.SeenEnded && !lentAgain)
            TestPool.AssertSame(new byte[visible], PageProbe.Read(lease.Address, visible));
        // Asked once: later the garbage collector may have given the block's memory to somebody else.
        lease.SeenEnded = true;
    }
}

/// <summary>A lease, where its bytes were, and the pins on it.</summary>
internal sealed record ObservedLease(ExposedPages Lease, nint Address, bool InSlot, Stack<MemoryHandle> Pins)
{
    internal bool SeenEnded { get; set; }
}
