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

    /// <summary>How many descriptors may have been added at the peak. Defaults to 64.</summary>
    public long DescriptorGrowthMax { get; init; } = 64;

    /// <summary>Whether the attack is to end the proxy in good order.</summary>
    public bool EndsProxy { get; init; }

    public override string ToString() => Name;
}
