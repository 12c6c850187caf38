using System.Globalization;
using TestKit;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>
/// What the kernel counts for all TLS sockets of the machine (Documentation/networking/tls.rst, "Statistics"). A counter that an older kernel
/// does not have is 0.
/// </summary>
internal sealed class TlsStatistics
{
    private readonly IReadOnlyDictionary<string, long> _counters;

    private TlsStatistics(IReadOnlyDictionary<string, long> counters) => _counters = counters;

    public long this[string name] => _counters.GetValueOrDefault(name);

    /// <summary>Connections whose transmit or receive key the kernel took.</summary>
    public long Transmitting => this["TlsTxSw"];

    public long Receiving => this["TlsRxSw"];

    public static TlsStatistics Read() => new(File.ReadAllLines("/proc/net/tls_stat")
        .Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        .ToDictionary(words => words[0], words => long.Parse(words[1], CultureInfo.InvariantCulture)));

    /// <summary>What was counted from then to this moment.</summary>
    public TlsStatistics Since(TlsStatistics then) => new(_counters.ToDictionary(pair => pair.Key, pair => pair.Value - then[pair.Key]));

    /// <summary>So many connections were given to the kernel, in exactly these directions, and it had nothing to complain of.</summary>
    public void AssertInUse(LayerChoice layers, int connections)
    {
        Assert.Equal(layers.Transmits() ? connections : 0, Transmitting);
        Assert.Equal(layers.Receives() ? connections : 0, Receiving);
        AssertNoErrors();
    }

    public void AssertNoErrors() => Assert.All(Errors, name => Assert.Equal(0, this[name]));

    /// <summary>Waits until the kernel holds no key: every connection of every test before has gone.</summary>
    public static async Task UntilIdleAsync()
    {
        using CancellationTokenSource patience = new(Timeouts.Exchange);
        while (Read() is var now && now["TlsCurrTxSw"] + now["TlsCurrRxSw"] > 0)
        {
            Assert.False(
                patience.IsCancellationRequested, $"The kernel still holds {now["TlsCurrTxSw"]} transmit and {now["TlsCurrRxSw"]} receive keys.");
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    private static readonly string[] Errors = ["TlsDecryptError", "TlsDecryptRetry", "TlsRxNoPadViolation", "TlsRxRekeyError", "TlsTxRekeyError"];
}
