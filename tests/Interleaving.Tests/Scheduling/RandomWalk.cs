namespace Interleaving.Tests.Scheduling;

/// <summary>A way with any number of preemptions, the same for the same seed.</summary>
internal sealed class RandomWalk(int seed) : IChooser
{
    private readonly Random _random = new(seed);

    // Mostly whoever has the turn goes on: ways that change at every point are all alike.
    public int Choose(int count, bool firstGoesOn) =>
        firstGoesOn && _random.Next(GoesOnMostly) > 0 ? 0 : _random.Next(count);

    private const int GoesOnMostly = 8;
}
