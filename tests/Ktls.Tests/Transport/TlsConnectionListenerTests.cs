using System.Net.Sockets;
using Aead;
using Aead.Records;
using Microsoft.AspNetCore.Connections;
using TestKit.Network;
using Xunit;

namespace Ktls.Tests.Transport;

[Trait("Claim", "C4")]
public class TlsConnectionListenerTests
{
    [Fact]
    public async Task A_port_in_use_is_an_error_that_names_the_listener()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        AddressInUseException refused = await Assert.ThrowsAsync<AddressInUseException>(
            () => host.BindAsync(host.Address, "second").AsTask());
        Assert.Contains("'second'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handshake_may_come_one_byte_at_a_time()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        Socket socket = host.OpenSocket();
        using RecordStream client = await Task.Run(
            () => RawTlsClient.Handshake(socket, TlsVersion.Tls13, stream => new BytewiseStream(stream))).Within();
        ConnectionContext connection = await host.AcceptAsync();
        client.Send([1]);
        Assert.Equal([1], await TlsConnectionTests.ReadAsync(connection, 1));
    }

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task Data_that_is_there_before_anybody_reads_is_not_missed(TlsVersion version)
    {
        await using TransportHost host = await TransportHost.StartAsync();
        Socket socket = host.OpenSocket();
        using RecordStream client = await Task.Run(() => RawTlsClient.Handshake(socket, version)).Within();
        client.Send([1, 2]);
        client.Send([3]);
        await Task.Delay(50);
        ConnectionContext connection = await host.AcceptAsync();
        Assert.Equal([1, 2, 3], await TlsConnectionTests.ReadAsync(connection, 3));
    }

    [Fact]
    public async Task A_client_that_sends_nothing_is_closed_at_the_handshake_time_out_without_an_alert()
    {
        await using TransportHost host = await TransportHost.StartAsync(handshakeTimeout: TimeSpan.FromMilliseconds(300));
        Socket silent = host.OpenSocket();
        Assert.Equal(0, silent.Receive(new byte[1]));
    }

    [Fact]
    public async Task A_client_that_stops_within_its_handshake_is_told_at_the_time_out()
    {
        await using TransportHost host = await TransportHost.StartAsync(handshakeTimeout: TimeSpan.FromMilliseconds(300));
        Socket half = host.OpenSocket();
        half.Send([22, 3, 1]);
        byte[] alert = new byte[7];
        Assert.Equal(7, half.Receive(alert));
        Assert.Equal([21, 3, 1, 0, 2, 2, (byte)AlertDescription.UserCanceled], alert);
        Assert.Equal(0, half.Receive(alert));
    }

    [Fact]
    public async Task One_handshake_too_many_sheds_the_oldest()
    {
        await using TransportHost host = await TransportHost.StartAsync(maxHandshakes: 2);
        Socket first = host.OpenSocket();
        Socket second = host.OpenSocket();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        Assert.Equal(0, first.Receive(new byte[1]));
        Assert.False(second.Poll(0, SelectMode.SelectRead));
        client.Send([1]);
        Assert.Equal([1], await TlsConnectionTests.ReadAsync(connection, 1));
    }

    [Fact]
    public async Task Silent_clients_are_shed_before_one_that_has_begun_its_handshake()
    {
        await using TransportHost host = await TransportHost.StartAsync(maxHandshakes: 2);
        (Task<RecordStream> begun, TaskCompletionSource goOn) = await BeginHandshakeAsync(host);
        Socket[] silent = [.. Enumerable.Range(0, 5).Select(_ => host.OpenSocket())];
        Assert.All(silent[..4], socket => Assert.Equal(0, socket.Receive(new byte[1])));
        goOn.SetResult();
        using RecordStream client = await begun.Within();
        ConnectionContext connection = await host.AcceptAsync();
        client.Send([1]);
        Assert.Equal([1], await TlsConnectionTests.ReadAsync(connection, 1));
        Assert.False(silent[4].Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task A_newcomer_has_time_to_speak_where_others_hold_all_room_with_half_a_handshake()
    {
        await using TransportHost host = await TransportHost.StartAsync(maxHandshakes: 2);
        (Task<RecordStream> oldest, TaskCompletionSource goOn) = await BeginHandshakeAsync(host);
        (Task<RecordStream> younger, TaskCompletionSource goOnToo) = await BeginHandshakeAsync(host);
        Socket newcomer = host.OpenSocket();
        await Task.Delay(TimeSpan.FromMilliseconds(300));
        RecordStream? client = null;
        Assert.Null(await Record.ExceptionAsync(async () => client = await Task.Run(() => RawTlsClient.Handshake(newcomer, TlsVersion.Tls13)).Within()));
        using RecordStream established = client!;
        await host.AcceptAsync();
        goOnToo.SetResult();
        (await younger.Within()).Dispose();
        await host.AcceptAsync();
        goOn.SetResult();
        (await oldest.Within()).Dispose();
    }

    [Fact]
    public async Task One_connection_too_many_is_closed_at_once_and_room_is_used_again()
    {
        await using TransportHost host = await TransportHost.StartAsync(maxConnections: 1);
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        Socket surplus = host.OpenSocket();
        Assert.Equal(0, surplus.Receive(new byte[1]));
        client.Dispose();
        await TestRecords.UntilAsync(() => connection.ConnectionClosed.IsCancellationRequested, "the first connection ends");
        await connection.DisposeAsync();
        Assert.Null(await Record.ExceptionAsync(() => host.ConnectAsync()));
    }

    [Fact]
    public async Task Unbinding_lets_handshakes_in_flight_end_and_then_accept_answers_null()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (Task<RecordStream> shaking, TaskCompletionSource unbound) = await BeginHandshakeAsync(host);
        await host.Listener.UnbindAsync();
        unbound.SetResult();
        using RecordStream client = await shaking.Within();
        ConnectionContext connection = await host.AcceptAsync();
        Assert.Null(await host.Listener.AcceptAsync().Within());
        client.Send([1]);
        Assert.Equal([1], await TlsConnectionTests.ReadAsync(connection, 1));
        Assert.Throws<SocketException>(() => host.OpenSocket());
    }

    // A handshake that stops when it has the server's first bytes, until it is told to go on.
    private static async Task<(Task<RecordStream> Shaking, TaskCompletionSource GoOn)> BeginHandshakeAsync(TransportHost host)
    {
        Socket socket = host.OpenSocket();
        TaskCompletionSource answered = new();
        TaskCompletionSource goOn = new();
        Task<RecordStream> shaking = Task.Run(() => RawTlsClient.Handshake(socket, TlsVersion.Tls13, stream => new PausedStream(stream, answered, goOn.Task)));
        await answered.Task.Within();
        return (shaking, goOn);
    }

    /// <summary>Stops after the first bytes it reads until it is told to go on.</summary>
    private sealed class PausedStream(Stream inner, TaskCompletionSource answered, Task goOn) : DirectStream
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            int read = inner.Read(buffer, offset, count);
            if (answered.TrySetResult())
            {
                goOn.Wait(TestKit.Timeouts.Exchange);
            }

            return read;
        }

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override void Flush() => inner.Flush();
    }

    /// <summary>Writes one byte per call.</summary>
    private sealed class BytewiseStream(Stream inner) : DirectStream
    {
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count)
        {
            for (int i = 0; i < count; i++)
            {
                inner.Write(buffer, offset + i, 1);
            }
        }

        public override void Flush() => inner.Flush();
    }
}
