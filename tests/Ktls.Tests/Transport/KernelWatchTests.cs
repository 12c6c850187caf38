using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Ktls.Kernel;
using Ktls.Tests.Kernel;
using Ktls.Transport;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>Is the self-test repeated, and is what it finds told?</summary>
public sealed class KernelWatchTests : ILogger, IDisposable
{
    private readonly ConcurrentQueue<(LogLevel Level, string Line)> _lines = new();
    private readonly ConcurrentDictionary<string, long> _counts = new();
    private readonly TransportMetrics _metrics = new();
    private readonly MeterListener _listener = new();
    private readonly FakeMachine _machine = new();

    public KernelWatchTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "tlsproxy.kernel.selftest")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            _counts.AddOrUpdate($"{tags[0].Value} {tags[1].Value}", value, (_, sum) => sum + value));
        _listener.Start();
    }

    [Fact]
    public void The_first_run_is_over_when_start_returns_and_is_counted()
    {
        using KernelWatch watch = new(new KernelSupport(_machine));
        watch.Start(_metrics, this);
        watch.Start(_metrics, this);
        Assert.Equal(12, _machine.Tested.Count);
        Assert.Empty(_lines);
        Assert.True(_counts["transmit passed"] >= 6);
        Assert.True(_counts["receive passed"] >= 6);
    }

    [Fact]
    public async Task A_later_failure_is_an_error_of_its_direction_and_told_once()
    {
        using KernelWatch watch = new(new KernelSupport(_machine), Soon);
        watch.Start(_metrics, this);
        _machine.Verdict = (_, direction) =>
            direction == KernelDirection.Receive ? SelfTestVerdict.Forged("4 bytes") : SelfTestVerdict.Passed;
        await TestRecords.UntilAsync(() => !_lines.IsEmpty, "a line about the failure");
        int tested = _machine.Tested.Count;
        await TestRecords.UntilAsync(() => _machine.Tested.Count > tested + 36, "three more runs");
        watch.Stop();
        (LogLevel level, string line) = Assert.Single(_lines);
        Assert.Equal(LogLevel.Error, level);
        Assert.StartsWith("Kernel TLS is switched off for new connections (Receive): the self-test", line, StringComparison.Ordinal);
        Assert.Contains("4 bytes", line, StringComparison.Ordinal);
        Assert.True(_counts["receive failed"] >= 6);
    }

    [Fact]
    public async Task What_passes_later_is_told_and_what_could_not_be_tested_is_a_warning()
    {
        _machine.Verdict = (_, _) => SelfTestVerdict.Inconclusive("ENOBUFS");
        using KernelWatch watch = new(new KernelSupport(_machine), Soon);
        watch.Start(_metrics, this);
        Assert.Contains(_lines, line => line.Level == LogLevel.Warning && line.Line.Contains("ENOBUFS", StringComparison.Ordinal));
        _machine.Verdict = (_, _) => SelfTestVerdict.Passed;
        await TestRecords.UntilAsync(() => _lines.Count(line => line.Level == LogLevel.Information) == 12, "twelve lines");
        const string first = "Kernel TLS is used for new connections from now on (Transmit, Tls13, AEAD_AES_128_GCM)";
        Assert.Contains(_lines, line => line.Line == first);
    }

    [Fact]
    public async Task A_test_that_breaks_off_ends_nothing()
    {
        using KernelWatch watch = new(new KernelSupport(_machine), Soon);
        watch.Start(_metrics, this);
        _machine.Verdict = (_, _) => throw new InvalidOperationException("broken");
        await TestRecords.UntilAsync(
            () => _lines.Count(line => line.Line.Contains("broke off", StringComparison.Ordinal)) > 1, "two faults");
    }

    [Fact]
    public void After_stop_there_are_no_more_runs()
    {
        using KernelWatch watch = new(new KernelSupport(_machine), Soon);
        watch.Start(_metrics, this);
        watch.Stop();
        int tested = _machine.Tested.Count;
        watch.Start(_metrics, this);
        Thread.Sleep(50);
        Assert.Equal(tested, _machine.Tested.Count);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _metrics.Dispose();
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, formatter(state, exception)));

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(5);
}
