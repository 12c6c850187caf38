using TestKit;
using TestKit.Processes;

namespace TlsProxy.Tests.Attacks;

/// <summary>One row of the catalogue.</summary>
/// <param name="Name">In the table.</param>
/// <param name="ActAsync">Attacks; returns what it did, with counts.</param>
public sealed record Attack(string Name, Func<AttackScene, Task<string>> ActAsync)
{
    /// <summary>What a proxy of its own is started with; null shares one with the other attacks, so that harm would add up.</summary>
    public Func<ProxySettings, ProxySettings>? Alone { get; init; }

    /// <summary>By how much the resident set may have grown at its peak. Defaults to 64 MiB.</summary>
    public long ResidentGrowthMax { get; init; } = 64L << 20;

    /// <summary>How many descriptors may have been added at the peak.</summary>
    public required long DescriptorGrowthMax { get; init; }

    /// <summary>
    /// How many added descriptors are soon left although the attack lets nothing go. Defaults to <see cref="DescriptorGrowthMax"/>.
    /// </summary>
    public long DescriptorsHeldMax { get => field == 0 ? DescriptorGrowthMax : field; init; }

    /// <summary>How long a new client may wait for its answer. Defaults to <see cref="Timeouts.AtOnce"/>.</summary>
    public TimeSpan NextServedMax { get; init; } = Timeouts.AtOnce;

    /// <summary>Whether the attack is to end the proxy in good order.</summary>
    public bool EndsProxy { get; init; }

    public override string ToString() => Name;

    /// <summary>
    /// Descriptors of this many connections at once, if for each of them this many are needed: one, and one to an origin for each request. A few
    /// more are for clients that are served beside them.
    /// </summary>
    public static long Descriptors(int connections, int each = 1) => (connections * each) + Few;

    private const int Few = 8;
}
