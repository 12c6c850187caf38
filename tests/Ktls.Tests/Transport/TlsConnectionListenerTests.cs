using System.Net.Sockets;
using Aead;
using Aead.Records;
using Microsoft.AspNetCore.Connections;
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
        Socket begun = host.OpenSocket();
        begun.Send([22]);
        await Task.Delay(TimeSpan.FromMilliseconds(300));
        Socket[] silent = [.. Enumerable.Range(0, 5).Select(_ => host.OpenSocket())];
        Assert.All(silent[..4], socket => Assert.Equal(0, socket.Receive(new byte[1])));
        Assert.False(begun.Poll(0, SelectMode.SelectRead));
        Assert.False(silent[4].Poll(0, SelectMode.SelectRead));
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
        await host.ConnectAsync();
    }

    [Fact]
    public async Task Unbinding_lets_handshakes_in_flight_end_and_then_accept_answers_null()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        Socket socket = host.OpenSocket();
        TaskCompletionSource begun = new();
        TaskCompletionSource unbound = new();
        Task<RecordStream> shaking = Task.Run(() => RawTlsClient.Handshake(
            socket, TlsVersion.Tls13, stream => new BytewiseStream(stream, begun, unbound.Task)));
        await begun.Task.Within();

        // The transport has to have accepted it, or unbinding would reset it in the backlog.
        await Task.Delay(300);
        await host.Listener.UnbindAsync();
        unbound.SetResult();
        using RecordStream client = await shaking.Within();
        ConnectionContext connection = await host.AcceptAsync();
        Assert.Null(await host.Listener.AcceptAsync().Within());
        client.Send([1]);
        Assert.Equal([1], await TlsConnectionTests.ReadAsync(connection, 1));
        Assert.Throws<SocketException>(() => host.OpenSocket());
    }

    /// <summary>Writes one byte per call; stops after the first one until it is told to go on.</summary>
    private sealed class BytewiseStream(Stream inner, TaskCompletionSource? begun = null, Task? goOn = null) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count)
        {
            for (int i = 0; i < count; i++)
            {
                inner.Write(buffer, offset + i, 1);
                if (begun != null && begun.TrySetResult())
                {
                    goOn!.Wait(TestKit.Timeouts.Exchange);
                }
            }
        }

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
