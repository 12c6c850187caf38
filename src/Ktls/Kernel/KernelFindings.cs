using System.Collections.Immutable;
using Aead;

namespace Ktls.Kernel;

/// <summary>What was found about one AEAD of one version in one direction.</summary>
/// <param name="Suite">A suite that stands for all with its version and AEAD: the record layer knows no more of a suite.</param>
/// <param name="Direction">Which half.</param>
/// <param name="Outcome">Of the last test that came to a result; Inconclusive when none did.</param>
/// <param name="Why">Null: the kernel may do it.</param>
internal sealed record KernelFinding(CipherSuite Suite, KernelDirection Direction, SelfTestOutcome Outcome, LayerReason? Why);

/// <summary>All that is known about this machine's kernel TLS at one moment. Immutable.</summary>
internal sealed record KernelFindings
{
    /// <summary>Null: records can be read into hidden pages.</summary>
    public LayerReason? WhyNoHiddenReads { get; init; }

    /// <summary>Null until the kernel was asked with success.</summary>
    public bool? SupportsRekey { get; init; }

    /// <summary>Twelve: six combinations of version and AEAD, each way.</summary>
    public required ImmutableArray<KernelFinding> Combinations { get; init; }

    /// <summary>The first failed self-test of the direction. Final: what a kernel did wrong once it may do again.</summary>
    public LayerReason? FailureOf(KernelDirection direction)
    {
        foreach (KernelFinding finding in Combinations)
        {
            if (finding.Direction == direction && finding.Outcome == SelfTestOutcome.Failed)
            {
                return finding.Why;
            }
        }

        return null;
    }

    /// <summary>What was found about the suite's version and AEAD.</summary>
    public KernelFinding Of(CipherSuite suite, KernelDirection direction)
    {
        foreach (KernelFinding finding in Combinations)
        {
            if (finding.Direction == direction && finding.Suite.Version == suite.Version && finding.Suite.Aead == suite.Aead)
            {
                return finding;
            }
        }

        throw new ArgumentException($"{suite} is no suite of this project.", nameof(suite));
    }

    /// <summary>Before the first test.</summary>
    public static KernelFindings None { get; } = new()
    {
        WhyNoHiddenReads = NotYet,
        Combinations =
        [
            .. from suite in CipherSuite.All.DistinctBy(s => (s.Version, s.Aead))
               from direction in Enum.GetValues<KernelDirection>()
               select new KernelFinding(suite, direction, SelfTestOutcome.Inconclusive, NotYet),
        ],
    };

    private static LayerReason NotYet => LayerReasons.SelfTestInconclusive("it was not made yet");
}
