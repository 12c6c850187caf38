namespace Bench.Compare.Results;

/// <summary>What peers are compared by. Of all of them less is better.</summary>
internal enum Figure
{
    /// <summary>The peer's own processor seconds per unit of work.</summary>
    Cpu,

    /// <summary>The 99th percentile of the latency, in milliseconds.</summary>
    Latency99,

    /// <summary>Bytes of memory per connection.</summary>
    ConnectionBytes,
}
