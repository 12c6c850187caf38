namespace Interleaving.Tests.Scheduling;

/// <summary>Decides who has the next turn.</summary>
internal interface IChooser
{
    /// <param name="count">How many can; at least 2.</param>
    /// <param name="firstGoesOn">The first of them had the last turn, so choosing another is a preemption.</param>
    /// <returns>From 0 to <paramref name="count"/> - 1.</returns>
    int Choose(int count, bool firstGoesOn);
}
