using System.Diagnostics;

namespace Bench.Compare.Work;

/// <summary>How long everything takes.</summary>
/// <param name="Measured">One load.</param>
/// <param name="FirstWarmUp">Small GETs in a new process of a .NET peer.</param>
/// <param name="WarmUp">
/// The very work, before it is measured: a .NET peer compiles its code anew, faster, while it is used. On two
/// busy processors a small GET costs three times as much in the first seconds, and the same from the 12th on.
/// </param>
/// <param name="Settling">Until memory is what it stays at.</param>
internal sealed record Pace(TimeSpan Measured, TimeSpan FirstWarmUp, TimeSpan WarmUp, TimeSpan Settling)
{
    public static Pace Usual(int measuredSeconds) => new(Seconds(measuredSeconds), Seconds(6), Seconds(10), Seconds(15));

    /// <summary>Enough to see that everything works; the numbers are mostly those of compilers.</summary>
    public static Pace Quick(int measuredSeconds) => new(Seconds(measuredSeconds), Seconds(1), Seconds(1), Seconds(3));

    /// <summary>Repeats a load until it has warmed up.</summary>
    public async Task WarmUpAsync(Func<Task> load)
    {
        long started = Stopwatch.GetTimestamp();
        do
        {
            await load();
        }
        while (Stopwatch.GetElapsedTime(started) < WarmUp);
    }

    private static TimeSpan Seconds(int count) => TimeSpan.FromSeconds(count);
}
