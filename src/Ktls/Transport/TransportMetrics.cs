using System.Diagnostics.Metrics;
using Aead.Records;

namespace Ktls.Transport;

/// <summary>What the transport counts, under the meter "TlsProxy.Transport".</summary>
internal sealed class TransportMetrics : IDisposable
{
    private readonly Meter _meter = new("TlsProxy.Transport");
    private readonly Counter<long> _handshakes;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _records;
    private readonly Counter<long> _shed;

    public TransportMetrics()
    {
        _handshakes = _meter.CreateCounter<long>("tlsproxy.handshakes", "{handshake}", "Handshakes that succeeded.");
        _refused = _meter.CreateCounter<long>("tlsproxy.handshakes.refused", "{handshake}", "Handshakes refused, by alert.");
        _records = _meter.CreateCounter<long>("tlsproxy.records.refused", "{connection}", "Connections closed for a bad record, by alert.");
        _shed = _meter.CreateCounter<long>("tlsproxy.connections.shed", "{connection}", "Connections given up to keep memory bounded.");
    }

    public void HandshakeSucceeded() => _handshakes.Add(1);

    public void HandshakeRefused(AlertDescription alert) => _refused.Add(1, new KeyValuePair<string, object?>("alert", alert.ToString()));

    public void RecordRefused(AlertDescription alert) => _records.Add(1, new KeyValuePair<string, object?>("alert", alert.ToString()));

    public void ConnectionShed() => _shed.Add(1);

    public void Dispose() => _meter.Dispose();
}
