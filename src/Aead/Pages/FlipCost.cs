using System.Diagnostics;
using System.Security.Cryptography;

namespace Aead.Pages;

/// <summary>
/// What it costs on this machine to make one batch readable and to take it back, per batch size.
/// </summary>
/// <param name="Bytes">Bytes of the batch.</param>
/// <param name="FlipNanoseconds">Expose the slot, read it once, hide it and zero it.</param>
/// <param name="CopyNanoseconds">Copy the batch out, zero the slot, read the copy once and zero it.</param>
public sealed record FlipCostRow(int Bytes, double FlipNanoseconds, double CopyNanoseconds);

/// <summary>The answer to "flip or copy" on this machine.</summary>
/// <param name="Rows">One row per batch size, ascending.</param>
public sealed record FlipCostReport(IReadOnlyList<FlipCostRow> Rows)
{
    /// <summary>
    /// n*: the batch size in bytes from which a flip is cheaper than a copy, for
    /// <see cref="PagePolicy.FlipThreshold"/>; null when no measured size is ("never"). Between two rows it
    /// is where the straight lines through them cross.
    /// </summary>
    public int? BreakEvenBytes
    {
        get
        {
            int first = Rows.Count;
            while (first > 0 && Saving(Rows[first - 1]) > 0)
            {
                first--;
            }

            if (first == Rows.Count)
            {
                return null;
            }

            if (first == 0)
            {
                return Rows[0].Bytes;
            }

            FlipCostRow below = Rows[first - 1];
            FlipCostRow above = Rows[first];
            double share = -Saving(below) / (Saving(above) - Saving(below));
            return below.Bytes + (int)Math.Ceiling(share * (above.Bytes - below.Bytes));
        }
    }

    private static double Saving(FlipCostRow row) => row.CopyNanoseconds - row.FlipNanoseconds;
}

/// <summary>
/// Measures flip against copy as a loaded proxy meets them: two or more threads of the process at the same
/// work, so that hiding has to reach the other processors' TLBs and all contend for the address space, and
/// bytes that are hot because they were decrypted a moment ago.
/// </summary>
public static class FlipCost
{
    /// <summary>Takes about a second of the processors.</summary>
    /// <param name="threads">Threads at the same work, from 1 to 16. Defaults to the fewest that get in each
    /// other's way.</param>
    /// <exception cref="PagePoolException">Guarded pages cannot be had here.</exception>
    public static FlipCostReport Measure(int threads = 2)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, SlotPool.SlotsPerMap);
        try
        {
            // As many as the pool maps at once: fewer would lie in smaller pages, which flip more slowly.
            using PageMap map = PageMap.Create(SlotPool.SlotsPerMap, PagePool.SlotBytes);
            return new FlipCostReport([.. BatchBytes.Select(bytes => MeasureRow(map, threads, bytes))]);
        }
        catch (PageMapException refused)
        {
            throw new PagePoolException($"Guarded pages cannot be had here: {refused.Message}", refused);
        }
    }

    private static FlipCostRow MeasureRow(PageMap map, int threads, int bytes)
    {
        var measured = new Worker(new StageSlot(map, 0), bytes);
        Worker[] companions = [.. Enumerable.Range(1, threads - 1).Select(slot => new Worker(new StageSlot(map, slot), bytes))];
        return new FlipCostRow(bytes,
            MedianBeside(companions.Select<Worker, Func<long>>(companion => companion.Flip), measured.Flip),
            MedianBeside(companions.Select<Worker, Func<long>>(companion => companion.Copy), measured.Copy));
    }

    // The median over rounds, each the mean of many turns: shootdowns hit only some turns and must count, a
    // preempted round must not.
    private static double MedianBeside(IEnumerable<Func<long>> companions, Func<long> measured)
    {
        using var stop = new CancellationTokenSource();
        Thread[] threads = [.. companions.Select(companion => new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                companion();
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        try
        {
            var rounds = new List<double>();
            long start = Stopwatch.GetTimestamp();
            do
            {
                long ticks = 0;
                for (int turn = 0; turn < TurnsPerRound; turn++)
                {
                    ticks += measured();
                }

                rounds.Add(ticks * 1e9 / Stopwatch.Frequency / TurnsPerRound);
            }
            while (Stopwatch.GetElapsedTime(start) < TimePerCell);

            rounds.Sort();
            return rounds[rounds.Count / 2];
        }
        finally
        {
            stop.Cancel();
            Array.ForEach(threads, thread => thread.Join());
        }
    }

    /// <summary>
    /// One thread's slot and block. Every turn returns the ticks of what it measures, without the filling.
    /// </summary>
    private sealed class Worker(StageSlot slot, int bytes)
    {
        private readonly byte[] _block = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);

        internal long Flip()
        {
            slot.WriterView()[..bytes].Fill(Filling);
            long start = Stopwatch.GetTimestamp();
            slot.Expose();
            Read(slot.ExposedView(slot.Generation, bytes));
            slot.Hide();
            slot.Zero(0, bytes);
            return Stopwatch.GetTimestamp() - start;
        }

        internal long Copy()
        {
            slot.WriterView()[..bytes].Fill(Filling);
            long start = Stopwatch.GetTimestamp();
            slot.WriterView()[..bytes].CopyTo(_block);
            slot.Zero(0, bytes);
            Read(_block);
            CryptographicOperations.ZeroMemory(_block);
            return Stopwatch.GetTimestamp() - start;
        }

        // A flipped page has left the TLB: what its first reader pays belongs to the flip.
        private static void Read(ReadOnlySpan<byte> bytes)
        {
            if (bytes.ContainsAnyExcept(Filling))
            {
                throw new InvalidOperationException("The batch is not what was written.");
            }
        }
    }

    private static int[] BatchBytes => [4 << 10, 16 << 10, 64 << 10, 256 << 10];

    // Four sizes, two ways each: a second in all.
    private static readonly TimeSpan TimePerCell = TimeSpan.FromMilliseconds(120);

    // A tenth of a time slice: with more threads than processors most rounds must still pass undisturbed.
    private const int TurnsPerRound = 16;

    private const byte Filling = 0x5A;
}
