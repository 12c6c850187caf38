using System.Collections.Immutable;
using Ktls.Kernel;

namespace Ktls;

/// <summary>Whether one direction of a listener's connections is given to the kernel.</summary>
public enum KernelUse
{
    /// <summary>Where this kernel can, is not known to be faulty, and has passed the self-test; else in user space.</summary>
    Auto,

    /// <summary>As Auto, but a start without it is refused.</summary>
    On,

    /// <summary>Always in user space.</summary>
    Off,
}

/// <summary>What a listener wants of kernel TLS.</summary>
public sealed record KernelPolicy
{
    /// <summary>Records we send. Defaults to Auto.</summary>
    public KernelUse Transmit { get; init; } = KernelUse.Auto;

    /// <summary>Records we receive. Defaults to Auto.</summary>
    public KernelUse Receive { get; init; } = KernelUse.Auto;

    /// <summary>
    /// Releases, as "uname -r" prints them, whose vendor has backported the fixes that their number alone does not show. The self-test is
    /// still required. Defaults to none.
    /// </summary>
    public ImmutableArray<string> Accept { get; init; } = [];

    /// <summary>User space for both directions.</summary>
    public static KernelPolicy Off { get; } = new() { Transmit = KernelUse.Off, Receive = KernelUse.Off };

    internal KernelUse Use(KernelDirection direction) => direction == KernelDirection.Transmit ? Transmit : Receive;
}
