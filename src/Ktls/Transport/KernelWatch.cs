using Ktls.Kernel;
using Microsoft.Extensions.Logging;

namespace Ktls.Transport;

/// <summary>
/// Makes the self-test of the kernel, once when this is made and then at an interval, and tells in log and numbers what changed. On a thread
/// of its own: the test sleeps and may be slow, and neither a loop nor the thread pool has to wait for it.
/// </summary>
internal sealed class KernelWatch : IDisposable
{
    private readonly KernelSupport _support;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _log;
    private readonly TimeSpan _interval;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;

    /// <param name="support">Tested before this returns.</param>
    /// <param name="metrics">Counts each test.</param>
    /// <param name="log">Takes failures, and what is admitted later.</param>
    /// <param name="interval">From the end of one run to the start of the next. Defaults to 10 minutes.</param>
    public KernelWatch(KernelSupport support, TransportMetrics metrics, ILogger log, TimeSpan? interval = null)
    {
        (_support, _metrics, _log, _interval) = (support, metrics, log, interval ?? DefaultInterval);
        Run(isFirst: true);
        _thread = new Thread(RunAtInterval) { IsBackground = true, Name = "TlsProxy kernel self-test" };
        _thread.Start();
    }

    /// <summary>Waits for a run that is under way.</summary>
    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void RunAtInterval()
    {
        while (!_stop.Wait(_interval))
        {
            try
            {
                Run(isFirst: false);
            }
            catch (Exception fault)
            {
                // The proxy must not end for a test that it makes of its own accord.
                TransportLog.SelfTestFault(_log, fault);
            }
        }
    }

    private void Run(bool isFirst)
    {
        KernelFindings before = isFirst ? KernelFindings.None : _support.Findings;
        IReadOnlyList<KernelFinding> run = _support.Test();
        KernelFindings after = _support.Findings;
        foreach (KernelFinding finding in run)
        {
            _metrics.KernelTested(finding);
        }

        foreach (KernelDirection direction in Enum.GetValues<KernelDirection>())
        {
            if (before.FailureOf(direction) == null && after.FailureOf(direction) is { } failure)
            {
                TransportLog.KernelNotTrusted(_log, direction, failure.Sentence);
            }
        }

        if (run.FirstOrDefault(finding => finding.Outcome == SelfTestOutcome.Inconclusive) is { } unclear)
        {
            TransportLog.SelfTestInconclusive(_log, unclear.Why!.Sentence);
        }

        if (!isFirst)
        {
            TellWhatIsAdmitted(before, after);
        }
    }

    private void TellWhatIsAdmitted(KernelFindings before, KernelFindings after)
    {
        foreach ((KernelFinding was, KernelFinding @is) in before.Combinations.Zip(after.Combinations))
        {
            if (was.Why != null && @is.Why == null && after.FailureOf(@is.Direction) == null)
            {
                TransportLog.KernelAdmitted(_log, @is.Direction, @is.Suite.Version, @is.Suite.Aead.Name);
            }
        }
    }

    // What can turn a good kernel bad while it runs is rare and never sudden: a live patch, a driver for crypto that is loaded, memory that
    // fails. A run takes some milliseconds and, at this interval, no share of the machine worth naming.
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromMinutes(10);
}
