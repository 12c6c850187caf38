namespace Bench.Compare.Work;

/// <summary>How long everything takes.</summary>
/// <param name="Measured">One load.</param>
/// <param name="FirstWarmUp">
/// Small GETs before anything of a .NET peer is measured: its code is compiled anew, faster, while it is used.
/// </param>
/// <param name="HandshakeWarmUp">The same for handshakes, whose code nothing else reaches.</param>
/// <param name="Settling">Until memory is what it stays at.</param>
internal sealed record Pace(TimeSpan Measured, TimeSpan FirstWarmUp, TimeSpan HandshakeWarmUp, TimeSpan Settling)
{
    public static Pace Usual(int measuredSeconds) => new(Seconds(measuredSeconds), Seconds(6), Seconds(10), Seconds(15));

    /// <summary>Enough to see that everything works; the numbers are mostly those of compilers.</summary>
    public static Pace Quick(int measuredSeconds) => new(Seconds(measuredSeconds), Seconds(2), Seconds(2), Seconds(3));

    private static TimeSpan Seconds(int count) => TimeSpan.FromSeconds(count);
}
