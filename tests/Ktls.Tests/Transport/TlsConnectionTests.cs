using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Security.Authentication;
using System.Text;
using Aead;
using Aead.Records;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Xunit;

namespace Ktls.Tests.Transport;

public class TlsConnectionTests
{
    [Theory]
    [InlineData(TlsVersion.Tls12, SslProtocols.Tls12)]
    [InlineData(TlsVersion.Tls13, SslProtocols.Tls13)]
    public async Task What_kestrel_decides_by_is_there_when_it_gets_the_connection(TlsVersion version, SslProtocols protocol)
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync(version);
        Assert.NotNull(connection.Features.Get<ITlsConnectionFeature>());
        Assert.Equal(protocol, connection.Features.Get<ITlsHandshakeFeature>()!.Protocol);
        Assert.Equal("h2", Encoding.ASCII.GetString(connection.Features.Get<ITlsApplicationProtocolFeature>()!.ApplicationProtocol.Span));
        Assert.NotNull(connection.Features.Get<IMemoryPoolFeature>()!.MemoryPool);
        Assert.Same(connection, connection.Features.Get<IConnectionLifetimeFeature>());
        Assert.Same(connection.Transport, connection.Features.Get<IConnectionTransportFeature>()!.Transport);
        Assert.Equal(host.Address, Assert.IsType<IPEndPoint>(connection.LocalEndPoint));
        Assert.Equal(client.Socket.LocalEndPoint, Assert.IsType<IPEndPoint>(connection.RemoteEndPoint));
        Assert.NotEmpty(connection.ConnectionId);
        connection.Features.Set(this);
        Assert.Same(this, connection.Features.Get<TlsConnectionTests>());
    }

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task Bytes_go_both_ways_and_key_updates_pass_between_them(TlsVersion version)
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync(version);
        for (int round = 0; round < 5; round++)
        {
            byte[] question = TestRecords.Bytes(1 + (round * 4000), round);
            client.Send(question);
            Assert.Equal(question, await ReadAsync(connection, question.Length));
            if (version == TlsVersion.Tls13)
            {
                client.UpdateKeys(requestPeer: round % 2 == 0);
                client.Send([1]);
                await ReadAsync(connection, 1);
            }

            await connection.Transport.Output.WriteAsync(question).Within();
            if (version == TlsVersion.Tls13 && round % 2 == 0)
            {
                Assert.Equal([24, 0, 0, 1, 0], client.Receive()!.Value.Content);
            }

            Assert.Equal(question, client.ReceiveData(question.Length));
        }
    }

    [Fact]
    public async Task A_renegotiation_is_declined_on_the_wire()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync(TlsVersion.Tls12);
        client.Send(ContentType.Handshake, 1, 0, 0, 0);
        client.Send([7]);
        Assert.Equal([7], await ReadAsync(connection, 1));
        Assert.Equal([1, (byte)AlertDescription.NoRenegotiation], client.Receive()!.Value.Content);
    }

    [Fact]
    public async Task After_close_notify_the_server_still_answers_at_length()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        client.Send([1]);
        client.Send(ContentType.Alert, 1, 0);
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.Equal([1], await ReadAsync(connection, 1));
        Assert.True((await connection.Transport.Input.ReadAsync().Within()).IsCompleted);
        byte[] answer = TestRecords.Bytes(3 << 20, 9);
        Task<(byte[] Data, AlertDescription? Alert, bool Finished)> receiving = Task.Run(client.ReceiveAll);
        await connection.Transport.Output.WriteAsync(answer).Within();
        await connection.DisposeAsync();
        (byte[] data, AlertDescription? alert, bool finished) = await receiving.Within();
        Assert.True(answer.AsSpan().SequenceEqual(data));
        Assert.Equal(AlertDescription.CloseNotify, alert);
        Assert.True(finished);
    }

    [Fact]
    public async Task An_idle_connection_holds_no_slot_no_copy_and_no_ciphertext()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        byte[] record = client.Encryptor.Seal(ContentType.ApplicationData, TestRecords.Bytes(10_000, 1));
        Task<byte[]> reading = ReadAsync(connection, 10_000);
        client.SendRaw(record.AsSpan(0, 5000));
        await Task.Delay(20);
        client.SendRaw(record.AsSpan(5000));
        Assert.Equal(TestRecords.Bytes(10_000, 1), await reading.Within());
        Task<ReadResult> idle = connection.Transport.Input.ReadAsync().AsTask();
        await TestRecords.UntilAsync(() => host.Pages.Status.CopyBytesInUse == 0, "the copies come back");
        Assert.InRange(host.Pages.Status.SlotsInUse, 1, Ktls.Transport.TransportResources.Stages);
        Assert.False(idle.IsCompleted);
    }

    [Fact]
    public async Task A_bulk_upload_does_not_keep_a_small_request_of_the_same_loop_waiting()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        using CancellationTokenSource stop = new();
        List<Task> uploads = [];
        List<long> received = [];
        for (int i = 0; i < Ktls.Transport.TransportResources.LoopCount; i++)
        {
            (RecordStream bulk, ConnectionContext sink) = await host.ConnectAsync();
            received.Add(0);
            uploads.Add(SwallowAsync(sink, received, i));
            uploads.Add(Task.Run(() => Pour(bulk, stop.Token)));
        }

        // Every loop has its upload now, so wherever these land they share one.
        for (int i = 0; i < Ktls.Transport.TransportResources.LoopCount; i++)
        {
            (RecordStream small, ConnectionContext connection) = await host.ConnectAsync();
            for (int request = 0; request < 10; request++)
            {
                small.Send([42]);
                Assert.Equal([42], await ReadAsync(connection, 1));
                await connection.Transport.Output.WriteAsync(new byte[] { 43 }).Within();
                Assert.Equal([43], small.ReceiveData(1));
            }
        }

        stop.Cancel();
        await Task.WhenAll(uploads).Within();
        Assert.All(received, bytes => Assert.True(bytes > 0));
    }

    /// <summary>So many bytes, consumed.</summary>
    internal static async Task<byte[]> ReadAsync(ConnectionContext connection, int length)
    {
        while (true)
        {
            ReadResult result = await connection.Transport.Input.ReadAsync().Within();
            if (result.Buffer.Length >= length)
            {
                byte[] bytes = result.Buffer.Slice(0, length).ToArray();
                connection.Transport.Input.AdvanceTo(result.Buffer.GetPosition(length));
                return bytes;
            }

            Assert.False(result.IsCompleted, "The connection ended too early.");
            connection.Transport.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static async Task SwallowAsync(ConnectionContext connection, List<long> received, int index)
    {
        while (true)
        {
            ReadResult result = await connection.Transport.Input.ReadAsync();
            received[index] += result.Buffer.Length;
            connection.Transport.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    private static void Pour(RecordStream bulk, CancellationToken stop)
    {
        byte[] record = new byte[16_384];
        while (!stop.IsCancellationRequested)
        {
            bulk.Send(record);
        }

        bulk.Send(ContentType.Alert, 1, 0);
    }
}
