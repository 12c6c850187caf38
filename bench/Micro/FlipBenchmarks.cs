using Aead.Pages;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>
/// Exposing and hiding, without touching the bytes, by threads that do nothing else: the mean is the time for one flip of the whole process,
/// so one divided by it is flips per second. Where it grows with the threads they wait for each other, in mmap_lock or in shootdowns.
/// </summary>
public class FlipBenchmarks
{
    private PageMap _map = null!;

    /// <summary>Threads that share the flips.</summary>
    [Params(1, 2, 4)]
    public int Threads { get; set; }

    /// <summary>As many slots as the pool maps at once.</summary>
    [GlobalSetup]
    public void SetUp() => _map = PageMap.Create(SlotPool.SlotsPerMap, PagePool.SlotBytes);

    /// <summary>Unmaps them.</summary>
    [GlobalCleanup]
    public void CleanUp() => _map.Dispose();

    /// <summary>So many that starting the threads does not count.</summary>
    [Benchmark(OperationsPerInvoke = Flips)]
    public void ExposeAndHide()
    {
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(slot => new Thread(() => Flip(slot, Flips / Threads)))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
    }

    private void Flip(int slot, int times)
    {
        for (int i = 0; i < times; i++)
        {
            _map.Expose(slot);
            _map.Hide(slot);
        }
    }

    private const int Flips = 4096;
}
