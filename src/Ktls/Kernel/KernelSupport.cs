using System.Diagnostics.CodeAnalysis;
using Aead;

namespace Ktls.Kernel;

/// <summary>
/// Who may protect a direction, and why not the kernel. What is known about the machine comes from <see cref="Test"/>, which is made once
/// before the first listener listens and again at an interval. Thread-safe.
/// </summary>
internal sealed class KernelSupport(IMachineProbe probe) : IKernelSupport
{
    private readonly Lock _testing = new();
    private volatile KernelFindings? _findings;
    private volatile LayerReason? _loopsHaveNoHiddenPages;
    private volatile LayerReason? _whyLoopsDoNot;

    /// <summary>
    /// The kernel took a tampered record for genuine: connections that receive by it may hold forged data and have to end. Raised by
    /// <see cref="Test"/>, on its thread, after <see cref="WhyNot"/> has changed its mind.
    /// </summary>
    public event Action? ForgedRecordAccepted;

    /// <summary>The running kernel.</summary>
    public KernelRelease Release => probe.Release;

    public bool SupportsRekey => Findings.SupportsRekey == true;

    public LayerReason? WhyNoHiddenReads => Findings.WhyNoHiddenReads ?? _loopsHaveNoHiddenPages;

    /// <summary>The newest; the first who asks waits for the first test.</summary>
    public KernelFindings Findings
    {
        get
        {
            if (_findings == null)
            {
                lock (_testing)
                {
                    // Nobody receives by the kernel before its first test, so a forgery that it accepts endangers none.
                    if (_findings == null)
                    {
                        _ = TestLocked(out _);
                    }
                }
            }

            return _findings!;
        }
    }

    /// <remarks>What the kernel does not offer is said before what it is not trusted with.</remarks>
    /// <inheritdoc/>
    public LayerReason? WhyNot(KernelPolicy policy, CipherSuite suite, KernelDirection direction)
    {
        if (policy.Use(direction) == KernelUse.Off)
        {
            return LayerReasons.OffBySetting;
        }

        KernelFindings findings = Findings;
        KernelFinding finding = findings.Of(suite, direction);
        return (finding.Outcome == SelfTestOutcome.NotOffered ? finding.Why : null)
            ?? (policy.Accept.Contains(Release.Name) ? null : FloorOf(direction))
            ?? findings.FailureOf(direction)
            ?? finding.Why
            ?? (NeedsHiddenReads(suite, direction) ? _whyLoopsDoNot : null);
    }

    /// <summary>The machine offers hidden reads, but not as many pages as the loops need.</summary>
    public void GiveUpHiddenReads(LayerReason whyNot) =>
        (_loopsHaveNoHiddenPages, _whyLoopsDoNot) = (whyNot, LayerReasons.Tls12NeedsHiddenReceive(whyNot));

    /// <summary>Refuses a listener whose setting On cannot be kept for every suite that it may negotiate.</summary>
    /// <exception cref="KernelUnavailableException">The kernel cannot or may not have a direction that is On.</exception>
    public void Demand(TlsListenerOptions listener)
    {
        foreach (KernelDirection direction in Enum.GetValues<KernelDirection>())
        {
            if (listener.Kernel.Use(direction) != KernelUse.On)
            {
                continue;
            }

            foreach (CipherSuite suite in listener.Handshake.SuitesInUse)
            {
                if (WhyNot(listener.Kernel, suite, direction) is { } why)
                {
                    throw new KernelUnavailableException(
                        $"Listener '{listener.Name}' has Kernel:{direction} On, but {why.Sentence}; or set Kernel:{direction} to Auto.");
                }
            }
        }
    }

    /// <summary>
    /// Asks the machine again, on loopback sockets. A failure is final. What could not be found out this time stays as it was.
    /// Blocks for as long as the probe takes; never called on an event loop.
    /// </summary>
    /// <returns>One finding for each combination, of this very run.</returns>
    public IReadOnlyList<KernelFinding> Test()
    {
        IReadOnlyList<KernelFinding> run;
        bool forged;
        lock (_testing)
        {
            run = TestLocked(out forged);
        }

        if (forged)
        {
            ForgedRecordAccepted?.Invoke();
        }

        return run;
    }

    private List<KernelFinding> TestLocked(out bool forged)
    {
        KernelFindings before = _findings ?? KernelFindings.None;
        if (IsInconclusive(before.WhyNoHiddenReads))
        {
            before = before with { WhyNoHiddenReads = probe.WhyNoHiddenReads() };
        }

        List<KernelFinding> run = [];
        forged = false;
        SyscallResult attached = probe.Attach();
        foreach (KernelFinding former in before.Combinations)
        {
            run.Add(attached.Failed ? NotAttached(former, attached) : TestOne(former, before.WhyNoHiddenReads, ref forged));
        }

        _findings = before with
        {
            SupportsRekey = before.SupportsRekey ?? (attached.Failed ? null : AskRekey()),
            Combinations = [.. before.Combinations.Zip(run, Merge)],
        };
        return run;
    }

    private KernelFinding NotAttached(KernelFinding former, SyscallResult refusal)
    {
        if (refusal.NoSuchModule)
        {
            return NotOffered(former, probe.HasTlsModule ? LayerReasons.TlsModuleNotLoaded : LayerReasons.NoTlsModule);
        }

        return refusal.NotPermitted ? NotOffered(former, LayerReasons.AttachRefused(refusal)) : Inconclusive(former, refusal.ErrorName);
    }

    private bool? AskRekey()
    {
        SyscallResult replaced = probe.Rekey();
        return !replaced.Failed ? true : replaced.Busy ? false : null;
    }

    private KernelFinding TestOne(KernelFinding former, LayerReason? whyNoHiddenReads, ref bool forged)
    {
        (CipherSuite suite, KernelDirection direction, _, _) = former;
        SyscallResult installed = probe.Install(suite, direction);
        if (installed.NoSuchModule || installed.Invalid)
        {
            return NotOffered(former, LayerReasons.NoAead(suite.Aead));
        }

        if (installed.Failed)
        {
            return installed.NotPermitted
                ? NotOffered(former, LayerReasons.InstallRefused(installed))
                : Inconclusive(former, installed.ErrorName);
        }

        if (whyNoHiddenReads != null && NeedsHiddenReads(suite, direction))
        {
            return IsInconclusive(whyNoHiddenReads)
                ? Inconclusive(former, whyNoHiddenReads.Sentence)
                : NotOffered(former, LayerReasons.Tls12NeedsHiddenReceive(whyNoHiddenReads));
        }

        SelfTestVerdict verdict = probe.Test(suite, direction, hidden: whyNoHiddenReads == null);
        forged |= verdict.AcceptedForgery;
        return verdict.Outcome switch
        {
            SelfTestOutcome.Passed => former with { Outcome = SelfTestOutcome.Passed, Why = null },
            SelfTestOutcome.Inconclusive => Inconclusive(former, verdict.Detail),
            _ => former with
            {
                Outcome = SelfTestOutcome.Failed,
                Why = LayerReasons.SelfTestFailed($"{direction} with {suite.Version} and {suite.Aead.Name}: {verdict.Detail}"),
            },
        };
    }

    private static KernelFinding NotOffered(KernelFinding former, LayerReason why) =>
        former with { Outcome = SelfTestOutcome.NotOffered, Why = why };

    private static KernelFinding Inconclusive(KernelFinding former, string hindrance) =>
        former with { Outcome = SelfTestOutcome.Inconclusive, Why = LayerReasons.SelfTestInconclusive(hindrance) };

    private static KernelFinding Merge(KernelFinding former, KernelFinding found) =>
        former.Outcome == SelfTestOutcome.Failed
            || (found.Outcome == SelfTestOutcome.Inconclusive && former.Outcome != SelfTestOutcome.Inconclusive) ? former : found;

    private static bool IsInconclusive([NotNullWhen(true)] LayerReason? why) => why?.Code == LayerReasons.InconclusiveCode;

    private static bool NeedsHiddenReads(CipherSuite suite, KernelDirection direction) =>
        direction == KernelDirection.Receive && suite.Version == TlsVersion.Tls12;

    private LayerReason? FloorOf(KernelDirection direction) => direction == KernelDirection.Transmit ? _transmitFloor : _receiveFloor;

    private readonly LayerReason? _transmitFloor = KernelFloors.WhyNot(probe.Release, KernelDirection.Transmit);
    private readonly LayerReason? _receiveFloor = KernelFloors.WhyNot(probe.Release, KernelDirection.Receive);
}
