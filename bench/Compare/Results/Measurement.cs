using System.Text.Json.Serialization;
using Bench.Compare.Loads;

namespace Bench.Compare.Results;

/// <summary>One workload of one peer in one round.</summary>
internal sealed record Measurement
{
    public int Round { get; init; }

    public string Work { get; init; } = "";

    public string Peer { get; init; } = "";

    /// <summary>Units of work done.</summary>
    public double Quantity { get; init; }

    /// <summary>How long that took.</summary>
    public double Seconds { get; init; }

    /// <summary>User and system time of the peer's processes meanwhile.</summary>
    public double CpuSeconds { get; init; }

    public Latency? Latency { get; init; }

    /// <summary>Of the peer's processes, right after the load.</summary>
    public long? PssBytes { get; init; }

    /// <summary>Of <see cref="Figure.ConnectionBytes"/> only.</summary>
    public double? ConnectionBytes { get; init; }

    /// <summary>10^9 bytes that were moved beside what was measured.</summary>
    public double? BesideGigabytes { get; init; }

    /// <summary>Not null: something went wrong, and the numbers say nothing.</summary>
    public string? Error { get; init; }

    [JsonIgnore]
    public double Rate => Quantity / Seconds;

    public double? Of(Figure figure) => Error is not null ? null : figure switch
    {
        Figure.Cpu => CpuSeconds / Quantity,
        Figure.Latency99 => Latency?.P99,
        _ => ConnectionBytes,
    };
}
