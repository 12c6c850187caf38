using System.Diagnostics.Metrics;
using Aead;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>Does the transport count its connections under the layers that really protect them?</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class ConnectionCounterTests : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly List<string> _counted = [];

    public ConnectionCounterTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name is "tlsproxy.connections" or "tlsproxy.kernel.closed")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, count, tags, _) =>
        {
            lock (_counted)
            {
                _counted.Add($"{count} {instrument.Name} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}");
            }
        });
        _listener.Start();
    }

    [Theory]
    [InlineData(LayerChoice.Both, TlsVersion.Tls12)]
    [InlineData(LayerChoice.Both, TlsVersion.Tls13)]
    [InlineData(LayerChoice.TransmitOnly, TlsVersion.Tls13)]
    [InlineData(LayerChoice.ReceiveOnly, TlsVersion.Tls12)]
    [InlineData(LayerChoice.Neither, TlsVersion.Tls13)]
    public async Task AConnectionIsCountedOnceForEachDirection(LayerChoice layers, TlsVersion version)
    {
        await using TransportHost host = await StartAsync(layers);
        await host.ConnectAsync(version);

        Assert.Equal(
            [
                $"1 tlsproxy.connections direction=receive {Layer(layers.Receives())}",
                $"1 tlsproxy.connections direction=transmit {Layer(layers.Transmits())}",
            ],
            Counted().Order());
    }

    [Theory]
    [Trait("Needs", "NoRekey")]
    [InlineData(LayerChoice.Both, false)]
    [InlineData(LayerChoice.Both, true)]
    [InlineData(LayerChoice.ReceiveOnly, false)]
    [InlineData(LayerChoice.TransmitOnly, true)]
    public async Task AConnectionThatEndsBecauseTheKernelCannotChangeKeysIsCounted(LayerChoice layers, bool requestPeer)
    {
        await using TransportHost host = await StartAsync(layers);
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        _ = connection.Transport.Input.ReadAsync().AsTask();
        client.UpdateKeys(requestPeer);
        await TestRecords.UntilAsync(() => Closed().Count > 0, "the end is counted");
        await connection.DisposeAsync();

        Assert.Equal(["1 tlsproxy.kernel.closed reason=key_update_without_rekey"], Closed());
    }

    public void Dispose() => _listener.Dispose();

    private static Task<TransportHost> StartAsync(LayerChoice layers) =>
        TransportHost.StartAsync(kernel: new KernelSupport(new MachineProbe()), policy: layers.Policy());

    private static string Layer(bool kernel) => kernel ? "layer=kernel reason=" : "layer=user reason=off_by_setting";

    private List<string> Closed() => [.. Counted().Where(line => line.Contains("kernel.closed", StringComparison.Ordinal))];

    private List<string> Counted()
    {
        lock (_counted)
        {
            return [.. _counted];
        }
    }
}
