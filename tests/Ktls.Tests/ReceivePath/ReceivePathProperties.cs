using System.Diagnostics;
using System.Runtime.CompilerServices;
using FsCheck.Fluent;
using TestKit;
using Xunit;

namespace Ktls.Tests.ReceivePath;

/// <summary>
/// Everything between a socket and Kestrel at once: whoever interferes, however TCP cuts it, whatever the consumer does. The same stories are
/// told to the kernel's record layer in tests/Kernel/ReceivePath.
/// </summary>
public sealed class ReceivePathProperties
{
    [Fact]
    [Trait("Claim", "I1")]
    [Trait("Claim", "I2")]
    [Trait("Claim", "I3")]
    [Trait("Claim", "I4")]
    [Trait("Claim", "C1")]
    [Trait("Claim", "C2")]
    public async Task A_consumer_sees_the_longest_authentic_prefix_and_the_right_end_and_nobody_sees_more()
    {
        await using StoryBook book = new((delivery, patience) => new GuardedStoryteller(delivery) { Patience = patience });
        long start = Stopwatch.GetTimestamp();
        book.Tell(StoryArbitrary.Create(), TestScale.Choose(2000, 20_000));
        TestContext.Current.TestOutputHelper?.WriteLine($"{book}in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        book.AssertDeliveries();
    }

    /// <summary>A kind that is hardly ever drawn is a kind that is not tested.</summary>
    [Fact]
    public void Every_kind_of_tampering_and_every_delivery_is_drawn_often_enough()
    {
        IReadOnlyList<Story> stories = [.. StoryArbitrary.Create().Generator.Sample(Drawn)];
        Assert.Equal(Drawn, stories.Count);
        Assert.All(stories, story => Assert.True(story.IsPossible, story.ToString()));
        AssertShares(stories, story => story.Tampering.Kind, atLeast: 0.02);
        AssertShares(stories, story => story.Delivery, atLeast: 0.20);
        AssertShares(stories, story => story.Suite.Version, atLeast: 0.20);
        AssertShares(stories, story => story.Habits.Keeps, atLeast: 0.20);
        AssertShares(stories, story => story.Habits.Runs, atLeast: 0.20);
        AssertShares(stories, story => story.Habits.Late, atLeast: 0.20);
        AssertShares(stories, story => story.Habits.LeavesAfter > 0, atLeast: 0.08);
        AssertShares(stories, story => story.Habits.EndsTwice, atLeast: 0.20);
        AssertShares(stories, story => story.Chunking.Unhurried, atLeast: 0.15);
        AssertShares(stories, story => story.Records.Any(record => record.ChangesKeys), atLeast: 0.10);
        AssertShares(stories, story => story.Records.Any(record => record.Padding > 0), atLeast: 0.20);
        AssertShares(stories, story => story.RecordsShown > 0, atLeast: 0.10);
    }

    private static void AssertShares<T>(
        IReadOnlyList<Story> stories, Func<Story, T> kind, double atLeast, [CallerArgumentExpression(nameof(kind))] string? name = null)
        where T : struct
    {
        Dictionary<T, double> shares = stories.GroupBy(kind).ToDictionary(group => group.Key, group => (double)group.Count() / stories.Count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}\n" + string.Concat(shares.OrderBy(share => share.Key)
            .Select(share => $"  {share.Key,-14} {share.Value,6:P1}\n")));
        IEnumerable<T> kinds = typeof(T).IsEnum ? Enum.GetValues(typeof(T)).Cast<T>() : [.. shares.Keys];
        Assert.All(kinds, one => Assert.True(shares.GetValueOrDefault(one) >= atLeast, $"{one} is drawn in {shares.GetValueOrDefault(one):P1} of stories."));
    }

    private const int Drawn = 5000;
}
