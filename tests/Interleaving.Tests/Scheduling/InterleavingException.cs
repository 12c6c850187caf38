namespace Interleaving.Tests.Scheduling;

/// <summary>A way to take turns in which something goes wrong.</summary>
internal sealed class InterleavingException(string message, Schedule schedule, Exception? inner)
    : Exception($"{message}\nThe turns:{schedule}\n", inner);
