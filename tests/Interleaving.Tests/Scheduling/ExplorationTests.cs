using Xunit;

namespace Interleaving.Tests.Scheduling;

/// <summary>That a race would be found: here are some.</summary>
public sealed class ExplorationTests
{
    [Fact]
    public void A_lost_update_is_found()
    {
        InterleavingException found = Assert.Throws<InterleavingException>(() => Exploration.Explore(() => new LostUpdate()));
        Assert.Contains("At the end", found.Message, StringComparison.Ordinal);
        Assert.Contains("B: read", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_that_wait_for_each_other_are_found()
    {
        InterleavingException found = Assert.Throws<InterleavingException>(() => Exploration.Explore(() => new Deadlock()));
        Assert.Contains("wait for each other", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_way_is_taken_once()
    {
        List<string> ways = [];
        using Crew crew = new();
        BoundedSearch search = new(preemptionsMax: 2);
        do
        {
            System.Text.StringBuilder way = new();
            new Schedule(search, crew).Run([() => Speak(way, "a"), () => Speak(way, "b")]);
            ways.Add(way.ToString());
        }
        while (search.Next());

        // Two words of each: the six ways to merge them, all of which need at most two preemptions.
        Assert.Equal(["aabb", "abab", "abba", "baab", "baba", "bbaa"], ways.Distinct().Order());
    }

    /// <summary>The product is the woven one, or nothing here explores anything.</summary>
    [Fact]
    public void The_product_is_woven()
    {
        Assert.Empty(typeof(Aead.Pages.PagePool).Assembly.Location);
        Assert.Contains(typeof(Aead.Pages.PagePool).Assembly.GetReferencedAssemblies(), name => name.Name == "Interleaving.Tests");
    }

    private static void Speak(System.Text.StringBuilder way, string word)
    {
        way.Append(word);
        Turn.Point("speaks");
        way.Append(word);
    }

    private sealed class LostUpdate : IScenario
    {
        private int _value;

        public IReadOnlyList<Action> Actions => [Increment, Increment];

        public void Check() => Assert.Equal(2, _value);

        public void Dispose()
        {
        }

        private void Increment()
        {
            Turn.Point("read");
            int read = _value;
            Turn.Point("write");
            _value = read + 1;
        }
    }

    private sealed class Deadlock : IScenario
    {
        private readonly Lock _one = new();
        private readonly Lock _other = new();

        public IReadOnlyList<Action> Actions => [() => TakeBoth(_one, _other), () => TakeBoth(_other, _one)];

        public void Check()
        {
        }

        public void Dispose()
        {
        }

        private static void TakeBoth(Lock first, Lock second)
        {
            using (Turn.Enter(first))
            {
                using (Turn.Enter(second))
                {
                    Turn.Point("has both");
                }

                Turn.Left();
            }

            Turn.Left();
        }
    }
}
