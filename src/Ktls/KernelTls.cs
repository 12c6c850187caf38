using Aead;
using Ktls.Kernel;

namespace Ktls;

/// <summary>A finding about this machine, for people.</summary>
/// <param name="Subject">A word or two.</param>
/// <param name="Finding">What was found and, where something can be done, what.</param>
public sealed record KernelTlsLine(string Subject, string Finding);

/// <summary>What this machine's kernel does for TLS, in words. The first question makes the self-test.</summary>
public sealed class KernelTls
{
    private readonly KernelSupport _support;

    internal KernelTls(KernelSupport support) => _support = support;

    /// <summary>Without a transport: for a look at the machine.</summary>
    public static KernelTls OfThisMachine() => new(new KernelSupport(new MachineProbe()));

    /// <summary>Who makes the records that a listener's new connections send.</summary>
    public string DescribeTransmit(TlsListenerOptions listener) =>
        Describe(listener.Kernel, listener.Handshake.SuitesInUse, KernelDirection.Transmit);

    /// <summary>Who verifies the records that a listener's new connections receive.</summary>
    public string DescribeReceive(TlsListenerOptions listener) =>
        Describe(listener.Kernel, listener.Handshake.SuitesInUse, KernelDirection.Receive);

    /// <summary>All that was found, for every suite and the default settings.</summary>
    public IEnumerable<KernelTlsLine> Lines()
    {
        KernelFindings findings = _support.Findings;
        yield return new("kernel", _support.Release.ToString());
        foreach (KernelDirection direction in Enum.GetValues<KernelDirection>())
        {
            yield return new("kernel TLS", $"{Word(direction)}: {Describe(new KernelPolicy(), CipherSuite.All, direction)}");
        }

        foreach (IGrouping<CipherSuite, KernelFinding> suite in findings.Combinations.GroupBy(finding => finding.Suite))
        {
            yield return new("self-test", $"{Name(suite.Key)}: {string.Join(", ", suite.Select(Describe))}");
        }

        foreach (KernelDirection direction in Enum.GetValues<KernelDirection>())
        {
            string? floor = KernelFloors.WhyNot(_support.Release, direction)?.Sentence;
            yield return new("floors", $"{Word(direction)}: {floor ?? "no known defect"}");
        }

        yield return new("hidden reads", _support.WhyNoHiddenReads?.Sentence ?? "io_uring, with pages that can be pinned");
        yield return new("KeyUpdate", findings.SupportsRekey switch
        {
            true => "the kernel takes new keys",
            false => "this kernel cannot change keys: a connection whose client sends KeyUpdate is closed; Linux 6.14 can",
            null => "not known",
        });
    }

    private string Describe(KernelPolicy policy, IEnumerable<CipherSuite> suites, KernelDirection direction)
    {
        var byReason = suites
            .GroupBy(suite => _support.WhyNot(policy, suite, direction)?.Sentence)
            .OrderBy(group => group.Key != null)
            .ToList();
        if (byReason is [{ Key: null }])
        {
            return "kernel";
        }

        IEnumerable<string> refused = byReason.Where(group => group.Key != null).Select(group => byReason.Count == 1
            ? $"user space ({group.Key})"
            : $"{string.Join(", ", group.Select(Name).Distinct())} in user space ({group.Key})");
        return byReason[0].Key == null ? $"kernel, but {string.Join("; ", refused)}" : string.Join("; ", refused);
    }

    private static string Describe(KernelFinding finding) => $"{Word(finding.Direction)} " + finding.Outcome switch
    {
        SelfTestOutcome.Passed => "passed",
        SelfTestOutcome.Failed => "FAILED",
        SelfTestOutcome.Inconclusive => "inconclusive",
        _ => "not offered",
    };

    private static string Word(KernelDirection direction) => direction == KernelDirection.Transmit ? "transmit" : "receive";

    private static string Name(CipherSuite suite) => $"TLS {(suite.Version == TlsVersion.Tls13 ? "1.3" : "1.2")} {suite.Aead.Name}";
}
