using Aead.Pages;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>Rent and return, by one thread: a lease on a copy, and a lease on a slot, which is exposed and hidden in between.</summary>
public class PoolBenchmarks
{
    private PagePool _pool = null!;
    private DecryptStage _stage = null!;
    private byte[] _verified = null!;

    /// <summary>Bytes of the lease.</summary>
    [Params(64, 4096, 65536)]
    public int Bytes { get; set; }

    /// <summary>A pool that flips, and copies when asked.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _pool = PagePool.Create(new PagePolicy { Delivery = Delivery.Flip, BytesMax = 4 << 20 }, stages: 1);
        _stage = _pool.CreateStage();
        _verified = new byte[Bytes];
    }

    /// <summary>Gives everything back.</summary>
    [GlobalCleanup]
    public void CleanUp()
    {
        _stage.Dispose();
        _pool.Dispose();
    }

    /// <summary>Copied, lent, zeroed.</summary>
    [Benchmark(Baseline = true)]
    public void CopyLease() => _stage.CopyVerified(_verified).Dispose();

    /// <summary>Exposed, lent, hidden, zeroed.</summary>
    [Benchmark]
    public void SlotLease() => _stage.Expose(Bytes, Bytes)!.Dispose();
}
