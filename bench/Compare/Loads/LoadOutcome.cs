namespace Bench.Compare.Loads;

/// <summary>How long requests took, in milliseconds, from sent to answered.</summary>
internal sealed record Latency(double P50, double P99, double P999);

/// <summary>What one load did.</summary>
/// <param name="Quantity">Units of work that succeeded.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Latency">Where the load tells it.</param>
/// <param name="Error">What went wrong; then the numbers say nothing.</param>
internal sealed record LoadOutcome(double Quantity, double Seconds, Latency? Latency, string? Error);
