using System.Globalization;

namespace TestKit;

/// <summary>
/// How long a test waits before it calls something stuck. Generous: they only cost time when something is
/// broken. TLSPROXY_PATIENCE multiplies them, for machines that are emulated.
/// </summary>
public static class Timeouts
{
    /// <summary>A client that is served in this time does not know of the others; on an idle machine it takes a hundredth.</summary>
    public static readonly TimeSpan AtOnce = Seconds(1);

    /// <summary>One request, one handshake, one line of output.</summary>
    public static readonly TimeSpan Exchange = Seconds(20);

    /// <summary>A program that starts or stops, with the machine busy.</summary>
    public static readonly TimeSpan Program = Seconds(40);

    /// <summary>A gigabyte, thousands of handshakes, a soak.</summary>
    public static readonly TimeSpan Bulk = Seconds(240);

    private static TimeSpan Seconds(int seconds) =>
        TimeSpan.FromSeconds(seconds)
        * (Environment.GetEnvironmentVariable("TLSPROXY_PATIENCE") is { Length: > 0 } factor
            ? double.Parse(factor, CultureInfo.InvariantCulture)
            : 1);
}
