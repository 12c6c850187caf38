using System.Diagnostics.Metrics;
using Aead.Pages;
using Aead.Records;
using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>What the transport counts, under the meter "TlsProxy.Transport".</summary>
internal sealed class TransportMetrics : IDisposable
{
    private readonly Meter _meter = new("TlsProxy.Transport");
    private readonly Counter<long> _handshakes;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _records;
    private readonly Counter<long> _shed;
    private readonly Counter<long> _connections;
    private readonly Counter<long> _kernelClosed;
    private readonly Counter<long> _selfTests;

    public TransportMetrics()
    {
        _handshakes = _meter.CreateCounter<long>("tlsproxy.handshakes", "{handshake}", "Handshakes that succeeded.");
        _refused = _meter.CreateCounter<long>("tlsproxy.handshakes.refused", "{handshake}", "Handshakes refused, by alert.");
        _records = _meter.CreateCounter<long>("tlsproxy.records.refused", "{connection}", "Connections closed for a bad record, by alert.");
        _shed = _meter.CreateCounter<long>("tlsproxy.connections.shed", "{connection}", "Connections given up to keep memory bounded.");
        _connections = _meter.CreateCounter<long>(
            "tlsproxy.connections", "{connection}", "Established connections, by direction, record layer and, in user space, the reason.");
        _kernelClosed = _meter.CreateCounter<long>(
            "tlsproxy.kernel.closed", "{connection}", "Connections that ended because the kernel could not go on, by reason.");
        _selfTests = _meter.CreateCounter<long>(
            "tlsproxy.kernel.selftest", "{test}", "Self-tests of kernel TLS, by direction and outcome; twelve a run.");
    }

    /// <summary>Lets whoever listens look at what is held at this moment.</summary>
    public void Observe(PagePool pages, DescriptorTable table)
    {
        _meter.CreateObservableGauge("tlsproxy.connections.open", () => table.Connections().LongCount(), "{connection}", "Established connections.");
        _meter.CreateObservableGauge(
            "tlsproxy.pages.slots", () => (long)pages.Status.SlotsInUse, "{slot}", "Guarded slots that are out: one per decrypting thread, and those exposed.");
        _meter.CreateObservableGauge("tlsproxy.pages.copies", () => pages.Status.CopyBytesInUse, "By", "Verified copies that nobody has consumed yet.");
    }

    /// <summary>Counts one self-test of the kernel.</summary>
    public void KernelTested(KernelFinding finding) => _selfTests.Add(
        1,
        new KeyValuePair<string, object?>("direction", finding.Direction == KernelDirection.Transmit ? "transmit" : "receive"),
        new KeyValuePair<string, object?>("outcome", finding.Outcome switch
        {
            SelfTestOutcome.Passed => "passed",
            SelfTestOutcome.Failed => "failed",
            SelfTestOutcome.Inconclusive => "inconclusive",
            _ => "not_offered",
        }));

    /// <summary>Counts each direction once.</summary>
    public void ConnectionEstablished(RecordLayers layers)
    {
        Count("transmit", layers.WhyNotTransmit);
        Count("receive", layers.WhyNotReceive);

        void Count(string direction, LayerReason? why) => _connections.Add(
            1,
            new KeyValuePair<string, object?>("direction", direction),
            new KeyValuePair<string, object?>("layer", why == null ? "kernel" : "user"),
            new KeyValuePair<string, object?>("reason", why?.Code));
    }

    public void KernelClosed(string reason) => _kernelClosed.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void HandshakeSucceeded() => _handshakes.Add(1);

    public void HandshakeRefused(AlertDescription alert) => _refused.Add(1, new KeyValuePair<string, object?>("alert", alert.ToString()));

    public void RecordRefused(AlertDescription alert) => _records.Add(1, new KeyValuePair<string, object?>("alert", alert.ToString()));

    public void ConnectionShed() => _shed.Add(1);

    public void Dispose() => _meter.Dispose();
}
