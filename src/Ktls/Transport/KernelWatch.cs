using Ktls.Kernel;
using Microsoft.Extensions.Logging;

namespace Ktls.Transport;

/// <summary>
/// Makes the self-test of the kernel, once at the start and then at an interval, and tells in log and numbers what changed. On a thread of
/// its own: the test sleeps and may be slow, and neither a loop nor the thread pool has to wait for it.
/// </summary>
internal sealed class KernelWatch : IDisposable
{
    private readonly TimeSpan _interval;
    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _stop = new();
    private Thread? _thread;

    public KernelWatch(KernelSupport support) : this(support, DefaultInterval)
    {
    }

    /// <param name="support">What is tested.</param>
    /// <param name="interval">From the end of one run to the start of the next.</param>
    public KernelWatch(KernelSupport support, TimeSpan interval) => (Support, _interval) = (support, interval);

    /// <summary>What is tested.</summary>
    public KernelSupport Support { get; }

    /// <summary>The first time: makes a run before it returns, and all others on its thread.</summary>
    /// <param name="metrics">Counts each test.</param>
    /// <param name="log">Takes failures, and what is admitted later.</param>
    public void Start(TransportMetrics metrics, ILogger log)
    {
        lock (_gate)
        {
            if (_thread != null || _stop.IsSet)
            {
                return;
            }

            Run(metrics, log, isFirst: true);
            _thread = new Thread(() => RunAtInterval(metrics, log)) { IsBackground = true, Name = "TlsProxy kernel self-test" };
            _thread.Start();
        }
    }

    /// <summary>Waits for a run that is under way, and makes no more.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stop.Set();
            _thread?.Join();
        }
    }

    public void Dispose()
    {
        Stop();
        _stop.Dispose();
    }

    private void RunAtInterval(TransportMetrics metrics, ILogger log)
    {
        while (!_stop.Wait(_interval))
        {
            try
            {
                Run(metrics, log, isFirst: false);
            }
            catch (Exception fault)
            {
                // The proxy must not end for a test that it makes of its own accord.
                TransportLog.SelfTestFault(log, fault);
            }
        }
    }

    private void Run(TransportMetrics metrics, ILogger log, bool isFirst)
    {
        KernelFindings before = isFirst ? KernelFindings.None : Support.Findings;
        IReadOnlyList<KernelFinding> run = Support.Test();
        KernelFindings after = Support.Findings;
        foreach (KernelFinding finding in run)
        {
            metrics.KernelTested(finding);
        }

        foreach (KernelDirection direction in Enum.GetValues<KernelDirection>())
        {
            if (before.FailureOf(direction) == null && after.FailureOf(direction) is { } failure)
            {
                TransportLog.KernelNotTrusted(log, direction, failure.Sentence);
            }
        }

        if (run.FirstOrDefault(finding => finding.Outcome == SelfTestOutcome.Inconclusive) is { } unclear)
        {
            TransportLog.SelfTestInconclusive(log, unclear.Why!.Sentence);
        }

        if (!isFirst)
        {
            TellWhatIsAdmitted(log, before, after);
        }
    }

    private static void TellWhatIsAdmitted(ILogger log, KernelFindings before, KernelFindings after)
    {
        foreach ((KernelFinding was, KernelFinding @is) in before.Combinations.Zip(after.Combinations))
        {
            if (was.Why != null && @is.Why == null && after.FailureOf(@is.Direction) == null)
            {
                TransportLog.KernelAdmitted(log, @is.Direction, @is.Suite.Version, @is.Suite.Aead.Name);
            }
        }
    }

    // What can turn a good kernel bad while it runs is rare and never sudden: a live patch, a driver for crypto that is loaded, memory that
    // fails. A run takes a fraction of a second, mostly waiting, which at this interval is no share of the machine worth naming.
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromMinutes(10);
}
