namespace TestKit;

/// <summary>
/// How long a test waits before it calls something stuck. Generous: they only cost time when something is
/// broken.
/// </summary>
public static class Timeouts
{
    /// <summary>One request, one handshake, one line of output.</summary>
    public static readonly TimeSpan Exchange = TimeSpan.FromSeconds(20);

    /// <summary>A program that starts or stops, with the machine busy.</summary>
    public static readonly TimeSpan Program = TimeSpan.FromSeconds(40);

    /// <summary>A gigabyte, thousands of handshakes, a soak.</summary>
    public static readonly TimeSpan Bulk = TimeSpan.FromMinutes(4);
}
