using Xunit.Sdk;

namespace Interleaving.Tests.Scheduling;

/// <summary>A way to take turns in which something is not as it was asserted to be, or all wait for each other.</summary>
internal sealed class InterleavingException : Exception
{
    public InterleavingException(string message, Schedule schedule)
        : base(WithTurns(message, schedule))
    {
    }

    private InterleavingException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>What is thrown for a failure on the way: only an assertion that fails is an answer, everything else is a fault.</summary>
    public static Exception From(string message, Schedule schedule, Exception failure) => failure is IAssertionException
        ? new InterleavingException(WithTurns(message, schedule), failure)
        : new InvalidOperationException(WithTurns(message, schedule), failure);

    private static string WithTurns(string message, Schedule schedule) => $"{message}\nThe turns:{schedule}\n";
}
