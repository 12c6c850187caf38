namespace Bench.Compare;

/// <summary>The comparison cannot go on; the message names what is wrong and what to do.</summary>
internal sealed class BenchException(string message) : Exception(message);
