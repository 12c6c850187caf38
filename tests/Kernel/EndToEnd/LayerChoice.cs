using Ktls;

namespace Kernel.Tests.EndToEnd;

/// <summary>Which directions of a listener's connections the kernel protects.</summary>
public enum LayerChoice
{
    Neither,
    TransmitOnly,
    ReceiveOnly,
    Both,
}

internal static class LayerChoices
{
    public static bool Transmits(this LayerChoice layers) => layers is LayerChoice.Both or LayerChoice.TransmitOnly;

    public static bool Receives(this LayerChoice layers) => layers is LayerChoice.Both or LayerChoice.ReceiveOnly;

    /// <summary>
    /// On rather than Auto: a proxy that cannot do it must not start. The kernel of the machine is accepted as it is, known defects or not.
    /// </summary>
    public static KernelPolicy Policy(this LayerChoice layers) => new()
    {
        Transmit = layers.Transmits() ? KernelUse.On : KernelUse.Off,
        Receive = layers.Receives() ? KernelUse.On : KernelUse.Off,
        Accept = layers == LayerChoice.Neither ? [] : [File.ReadAllText("/proc/sys/kernel/osrelease").TrimEnd()],
    };
}
