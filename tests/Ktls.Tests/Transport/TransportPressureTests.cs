using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Aead;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Ktls.Tests.Transport;

[Trait("Claim", "C4")]
public class TransportPressureTests
{
    [Fact]
    public async Task Over_the_bound_the_longest_holder_is_shed_and_the_others_live()
    {
        long bound = TransportResources.Stages * (256L << 10);
        await using TransportHost host = await TransportHost.StartAsync(pageBytesMax: bound);
        List<(RecordStream Client, ConnectionContext Connection)> holders = [];
        while (!holders.Any(holder => holder.Connection.ConnectionClosed.IsCancellationRequested))
        {
            (RecordStream client, ConnectionContext connection) holder = await host.ConnectAsync();
            holders.Add(holder);
            Assert.True(holders.Count < 40, "Nobody is shed.");
            await HoldAsync(holder.client, holder.connection, 200_000);
        }

        Assert.True(holders[0].Connection.ConnectionClosed.IsCancellationRequested, "Another than the longest holder was shed.");
        Assert.False(holders[^1].Connection.ConnectionClosed.IsCancellationRequested);
        (RecordStream last, ConnectionContext quick) = await host.ConnectAsync();
        last.Send([1]);
        Assert.Equal([1], await TlsConnectionTests.ReadAsync(quick, 1));
    }

    [Fact]
    public async Task A_connection_that_its_consumer_forgot_gives_back_what_it_held_and_leaves_no_plaintext()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (Socket client, Memory<byte> unsent) = await ForgetAsync(host);
        using Socket closing = client;
        Assert.NotEqual(0, host.Pages.Status.CopyBytesInUse);
        Assert.Equal(0, unsent.Span.IndexOf(Unsent));
        for (int attempt = 0; host.Pages.Status.CopyBytesInUse != 0 || unsent.Span.IndexOf(Unsent) == 0; attempt++)
        {
            Assert.True(attempt < 100, "What was held does not come back.");

            // Another connection: the loop's thread may have the last one in some register or slot of its stack.
            await host.ConnectAsync();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    // Reads, consumes nothing, aborts, and never disposes, as Kestrel does when a connection's application never completes.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<(Socket Client, Memory<byte> Unsent)> ForgetAsync(TransportHost host)
    {
        Socket socket = RawTlsClient.Connect(host.Address);
        RecordStream client = await Task.Run(() => RawTlsClient.Handshake(socket, TlsVersion.Tls13)).Within();
        ConnectionContext connection = (await host.Listener.AcceptAsync().Within())!;
        client.Send(new byte[10_000]);
        await connection.Transport.Input.ReadAsync().Within();
        Memory<byte> unsent = connection.Transport.Output.GetMemory(Unsent.Length);
        Unsent.CopyTo(unsent.Span);
        connection.Transport.Output.Advance(Unsent.Length);
        connection.Abort(new ConnectionAbortedException("The consumer has had enough."));
        return (socket, unsent);
    }

    private static ReadOnlySpan<byte> Unsent => "an answer that was never sent"u8;

    // As a consumer does that waits for the rest of a message: everything examined, nothing consumed, and a read pending.
    private static async Task HoldAsync(RecordStream client, ConnectionContext connection, int bytes)
    {
        for (int sent = 0; sent < bytes; sent += 10_000)
        {
            client.Send(new byte[10_000]);
        }

        PipeReader input = connection.Transport.Input;
        long held = 0;
        while (held < bytes)
        {
            ReadResult result = await input.ReadAsync().Within();
            held = result.Buffer.Length;
            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }

        // The distance between two holders must show on the clock that tells who held longest.
        await Task.Delay(25);
        _ = input.ReadAsync().AsTask().ContinueWith(ended => ended.Exception, TaskScheduler.Default);
    }
}
