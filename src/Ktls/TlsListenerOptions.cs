using Ktls.Handshake;

namespace Ktls;

/// <summary>One listener of the transport.</summary>
public sealed class TlsListenerOptions
{
    /// <summary>The name in the configuration, for logs and metrics.</summary>
    public required string Name { get; init; }

    /// <summary>What is negotiated.</summary>
    public required HandshakePolicy Handshake { get; init; }

    /// <summary>What is given to the kernel. Defaults to Auto in both directions.</summary>
    public KernelPolicy Kernel { get; init; } = new();

    /// <summary>From accept to Finished. Defaults to 10 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Connections open at once; one more is closed at once. Defaults to 100 000.</summary>
    public int MaxConnections { get; init; } = 100_000;

    /// <summary>Handshakes in flight; one more sheds the oldest. Defaults to 1 000.</summary>
    public int MaxHandshakes { get; init; } = 1_000;
}
