using System.Collections.Concurrent;
using System.Diagnostics;
using Aead.Pages;
using Xunit;

namespace Aead.Tests.Pages;

// Two loops fill and expose; each gives its leases to the other, which reads, pins, shrinks and disposes
// them, so slots and blocks come back on another thread than they left from. The bound is low, so that
// batches also find no slot and are copied.
[Collection(nameof(AloneInTheProcess))]
[Trait("Claim", "I4")]
public sealed class PagePoolStressTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(1.5);

    [Fact]
    public async Task Two_loops_that_consume_each_others_batches_lose_and_mix_nothing()
    {
        using PagePool pool =
            TestPool.Create(Delivery.Auto, slotsToFlip: 20, stages: 2, flipThreshold: 8_000);
        PagePoolStatus start = pool.Status;
        var toFirst = new Batches();
        var toSecond = new Batches();
        Task<Tally> first = Task.Run(() => Run(pool, 1, outbox: toSecond, inbox: toFirst));
        Task<Tally> second = Task.Run(() => Run(pool, 2, outbox: toFirst, inbox: toSecond));
        Tally[] tallies = await Task.WhenAll(first, second).WaitAsync(TimeSpan.FromSeconds(30));
        foreach (var (lease, seed) in toFirst.Concat(toSecond))
        {
            Consume(lease, seed);
        }

        // All is back but what the pool grew by.
        PagePoolStatus end = pool.Status;
        Assert.Equal(start with { SlotsMapped = end.SlotsMapped, BytesLocked = end.BytesLocked }, end);

        // Of both together: on a busy machine one loop may hardly run.
        Assert.True(tallies.Sum(tally => tally.Flipped) > 0 && tallies.Sum(tally => tally.Copied) > 0);
    }

    [Fact]
    public async Task Of_many_disposals_and_unpins_at_once_one_gives_back()
    {
        using PagePool pool = TestPool.Create(Delivery.Flip, slotsToFlip: 2);
        using DecryptStage stage = pool.CreateStage();
        for (int turn = 0; turn < 2_000; turn++)
        {
            ExposedPages lease = stage.Fill(turn, 64);
            var pin = lease.Pin();
            Task other = Task.Run(() =>
            {
                pin.Dispose();
                lease.Dispose();
            });
            lease.Dispose();
            await other.WaitAsync(TimeSpan.FromSeconds(10));
            Assert.Equal(1, pool.Status.SlotsInUse);
        }
    }

    private static Tally Run(PagePool pool, int loop, Batches outbox, Batches inbox)
    {
        using DecryptStage stage = pool.CreateStage();
        var random = new Random(loop);
        var tally = new Tally();
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < Duration)
        {
            int seed = random.Next(1_000_000);
            int verified = random.Next(20_000);
            if (stage.Fill(seed, verified, verified + random.Next(2_000)) is { } lease)
            {
                tally = tally.Counting(lease.HoldsSlot);
                outbox.Enqueue((lease, seed));
            }

            // Falling behind on purpose, so that slots run out; never by much, so that copies do not.
            while (inbox.Count > random.Next(40) && inbox.TryDequeue(out var received))
            {
                Consume(received.Lease, received.Seed);
            }
        }

        return tally;
    }

    private static void Consume(ExposedPages lease, int seed)
    {
        TestPool.AssertSame(TestPool.Bytes(seed, lease.Length), lease.GetSpan());
        if (seed % 3 == 0)
        {
            int start = lease.Length / 2;
            using ExposedPages rest = lease.Shrink(start);
            TestPool.AssertSame(TestPool.Bytes(seed, start + rest.Length).AsSpan(start), rest.GetSpan());
        }
        else if (seed % 3 == 1)
        {
            using var pin = lease.Pin();
            lease.Dispose();
        }
        else
        {
            lease.Dispose();
        }

        Assert.Throws<ObjectDisposedException>(() => lease.GetSpan());
    }

    private sealed class Batches : ConcurrentQueue<(ExposedPages Lease, int Seed)>;

    private sealed record Tally(int Flipped = 0, int Copied = 0)
    {
        internal Tally Counting(bool flipped) =>
            flipped ? this with { Flipped = Flipped + 1 } : this with { Copied = Copied + 1 };
    }
}
