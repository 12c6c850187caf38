using System.Globalization;

namespace TestKit;

/// <summary>
/// How hard the load tests press. The usual scale keeps the whole run short; the full one is what the project
/// promises.
/// </summary>
public static class TestScale
{
    /// <summary>TLSPROXY_SCALE=full, which tests/idle, tests/soak and tests/attack set.</summary>
    public static bool Full { get; } = Environment.GetEnvironmentVariable("TLSPROXY_SCALE") == "full";

    /// <summary>TLSPROXY_SCALE=quick: for tools that run the same tests for each of hundreds of changes.</summary>
    public static bool Quick { get; } = Environment.GetEnvironmentVariable("TLSPROXY_SCALE") == "quick";

    /// <summary>
    /// How long the soak lasts after its warm-up: TLSPROXY_SOAK_SECONDS, which tests/soak sets. Defaults to 5 s, 60 s at full scale.
    /// </summary>
    public static TimeSpan Soak { get; } =
        Environment.GetEnvironmentVariable("TLSPROXY_SOAK_SECONDS") is { Length: > 0 } seconds
            ? TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture))
            : TimeSpan.FromSeconds(Choose(5, 60));

    /// <summary>The first number usually, the second at full scale.</summary>
    public static int Choose(int usual, int full) => Full ? full : usual;
}
