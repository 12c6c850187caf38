using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Aead.Records;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Ktls.Tests.Transport;

public class TlsConnectionClosingTests
{
    public static TheoryData<string> Ways => ["fin after close_notify", "reset", "reset, with data unread", "abort", "dispose"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ConnectionClosed_fires_once_and_on_the_pool(string way)
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        int fired = 0;
        string? thread = null;
        TaskCompletionSource closed = new();
        connection.ConnectionClosed.Register(() =>
        {
            Interlocked.Increment(ref fired);
            thread = Thread.CurrentThread.Name;
            closed.TrySetResult();
        });
        if (way == "reset, with data unread")
        {
            client.Send([1]);
            await connection.Transport.Input.ReadAsync().Within();
        }

        End(way, client, connection);
        await closed.Task.Within();
        await connection.DisposeAsync();
        connection.Abort();
        await Task.Delay(20);
        Assert.Equal(1, fired);
        Assert.DoesNotContain("tls-loop", thread ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_says_close_notify_and_then_fin()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        connection.Transport.Output.Write<byte>([1, 2, 3]);
        await connection.DisposeAsync();
        (byte[] data, AlertDescription? alert, bool finished) = await Task.Run(client.ReceiveAll).Within();
        Assert.Equal([1, 2, 3], data);
        Assert.Equal(AlertDescription.CloseNotify, alert);
        Assert.True(finished);
    }

    [Fact]
    public async Task A_response_that_failed_is_reset_and_not_closed()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        await connection.Transport.Output.WriteAsync(new byte[] { 1 }).Within();
        connection.Transport.Output.Complete(new IOException("the origin failed"));
        await connection.DisposeAsync();
        (_, AlertDescription? alert, bool finished) = await Task.Run(client.ReceiveAll).Within();
        Assert.Null(alert);
        Assert.False(finished);
    }

    [Fact]
    public async Task A_pending_read_and_a_pending_flush_end_with_the_connection()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (_, ConnectionContext connection) = await host.ConnectAsync(receiveBuffer: 8192);
        Task<ReadResult> read = connection.Transport.Input.ReadAsync().AsTask();
        Task<FlushResult> flush = FillAsync(connection);
        connection.Abort(new ConnectionAbortedException("enough"));
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => read.Within());
        Assert.True((await flush.Within()).IsCompleted);
    }

    [Fact]
    public async Task A_fatal_alert_reaches_a_client_that_is_still_sending_megabytes_and_a_fin_follows()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        byte[] bad = client.Encryptor.Seal(ContentType.ApplicationData, [1, 2, 3]);
        bad[^1] ^= 1;
        byte[] more = new byte[1 << 20];
        Task sending = Task.Run(() =>
        {
            client.SendRaw(bad);
            for (int i = 0; i < 8; i++)
            {
                client.SendRaw(more);
            }

            client.Socket.Shutdown(SocketShutdown.Send);
        });
        await Assert.ThrowsAnyAsync<IOException>(() => connection.Transport.Input.ReadAsync().Within());
        await sending.Within();
        (_, AlertDescription? alert, bool finished) = await Task.Run(client.ReceiveAll).Within();
        Assert.Equal(AlertDescription.BadRecordMac, alert);
        Assert.True(finished);
    }

    [Fact]
    public async Task A_client_that_goes_on_sending_after_its_alert_is_cut_off()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        client.Send(ContentType.Handshake, 99, 0, 0, 0);
        await Assert.ThrowsAnyAsync<IOException>(() => connection.Transport.Input.ReadAsync().Within());
        byte[] more = new byte[1 << 20];
        await Assert.ThrowsAnyAsync<SocketException>(() => Task.Run(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                client.SendRaw(more);
            }
        }).WaitAsync(TestKit.Timeouts.Program));
    }

    [Fact]
    public async Task A_slow_reader_gets_all_of_the_last_answer_though_it_starts_late()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync(receiveBuffer: 8192);
        byte[] answer = TestRecords.Bytes(1 << 20, 3);
        int sent = 0;
        while (sent < answer.Length)
        {
            int count = Math.Min(50_000, answer.Length - sent);
            Task<FlushResult> flush = connection.Transport.Output.WriteAsync(answer.AsMemory(sent, count)).AsTask();
            sent += count;
            if (!flush.IsCompleted)
            {
                break;
            }
        }

        await connection.DisposeAsync();

        // Longer than a client takes to answer a FIN it has seen; this one has not, because all of the answer is before it.
        await Task.Delay(TimeSpan.FromSeconds(6));
        (byte[] data, AlertDescription? alert, bool finished) = await Task.Run(client.ReceiveAll).Within();
        Assert.True(answer.AsSpan(0, sent).SequenceEqual(data), $"{data.Length} of {sent} bytes arrived.");
        Assert.Equal(AlertDescription.CloseNotify, alert);
        Assert.True(finished);
    }

    [Fact]
    public async Task A_bare_fin_while_nobody_reads_closes_the_connection()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        client.Socket.Shutdown(SocketShutdown.Send);
        await TestRecords.UntilAsync(() => connection.ConnectionClosed.IsCancellationRequested, "the end is noticed");
        await Assert.ThrowsAsync<ConnectionResetException>(() => connection.Transport.Input.ReadAsync().Within());
    }

    private static void End(string way, RecordStream client, ConnectionContext connection)
    {
        switch (way)
        {
            case "fin after close_notify":
                client.Send(ContentType.Alert, 1, 0);
                client.Socket.Shutdown(SocketShutdown.Send);
                break;
            case "abort":
                connection.Abort();
                break;
            case "dispose":
                _ = connection.DisposeAsync().AsTask();
                break;
            default:
                client.Socket.LingerState = new LingerOption(true, 0);
                client.Socket.Dispose();
                break;
        }
    }

    /// <summary>Writes until the connection ends.</summary>
    internal static async Task<FlushResult> FillAsync(ConnectionContext connection)
    {
        while (true)
        {
            FlushResult result = await connection.Transport.Output.WriteAsync(new byte[50_000]);
            if (result.IsCompleted)
            {
                return result;
            }
        }
    }
}
