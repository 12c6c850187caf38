using System.Globalization;
using System.Text;
using TestKit;
using Xunit;

namespace Interleaving.Tests.Scheduling;

/// <summary>A scenario, told anew for each way to take turns.</summary>
internal interface IScenario : IDisposable
{
    /// <summary>What the threads do.</summary>
    IReadOnlyList<Action> Actions { get; }

    /// <summary>What has to be true when all have ended, whatever the turns were.</summary>
    void Check();
}

/// <summary>Runs a scenario in every way with one preemption, in those with a few up to a bound, and in some with many.</summary>
internal static class Exploration
{
    /// <param name="tell">Makes the scenario, in the same state each time.</param>
    /// <param name="waysMax">Where counting ways ends; less for a scenario that takes long to make.</param>
    /// <exception cref="InterleavingException">The first way in which it goes wrong.</exception>
    public static void Explore(Func<IScenario> tell, int? waysMax = null)
    {
        int most = waysMax ?? WaysMax;
        using Crew crew = new();
        for (int i = 0; i < FirstTimes; i++)
        {
            Run(tell, new BoundedSearch(preemptionsMax: 0), crew);
        }

        StringBuilder said = new();
        for (int preemptions = 1; preemptions <= PreemptionsMax; preemptions++)
        {
            BoundedSearch search = new(preemptions);
            int ways = 0;
            bool isComplete;
            do
            {
                Run(tell, search, crew);
                isComplete = !search.Next();
            }
            while (++ways < most && !isComplete);

            Assert.True(
                isComplete || preemptions > 1 || waysMax != null,
                $"More than {most} ways with one preemption: the scenario is too large to be explored.");
            said.Append(CultureInfo.InvariantCulture, $"{(isComplete ? "all" : "the first")} {ways} ways with at most {preemptions} preemptions, ");
        }

        for (int seed = 0; seed < RandomWays; seed++)
        {
            Run(tell, new RandomWalk(seed), crew);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{said}{RandomWays} with any number");
    }

    private static void Run(Func<IScenario> tell, IChooser chooser, Crew crew)
    {
        IScenario scenario = tell();
        Schedule schedule = new(chooser, crew);
        schedule.Run(scenario.Actions);
        try
        {
            scenario.Check();
        }
        catch (Exception wrong)
        {
            throw InterleavingException.From($"At the end: {wrong.Message}", schedule, wrong);
        }

        // Not after a failure, whose remains would hide it.
        scenario.Dispose();
    }

    // What is made once and kept, such as blocks that are used again, must not make one way different from the next.
    private const int FirstTimes = 50;

    private static int PreemptionsMax => TestScale.Choose(2, 3);

    private static int WaysMax => TestScale.Choose(1_000, 400_000);

    private static int RandomWays => TestScale.Choose(100, 20_000);
}
