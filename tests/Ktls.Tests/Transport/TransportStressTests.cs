using System.IO.Pipelines;
using Aead;
using Aead.Records;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Ktls.Tests.Transport;

// Alone, because it counts the descriptors of the process.
[CollectionDefinition(nameof(TransportStressTests), DisableParallelization = true)]
[Collection(nameof(TransportStressTests))]
public class TransportStressTests
{
    [Fact]
    public async Task Reading_writing_aborting_and_disposing_at_once_harms_nobody_and_leaks_nothing()
    {
        await RunAsync(TimeSpan.FromMilliseconds(200));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        int before = Descriptors();
        await RunAsync(TimeSpan.FromSeconds(3));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.InRange(Descriptors(), 0, before + 3);
    }

    private static async Task RunAsync(TimeSpan time)
    {
        await using TransportHost host = await TransportHost.StartAsync();
        long end = Environment.TickCount64 + (long)time.TotalMilliseconds;
        int rounds = 0;
        while (Environment.TickCount64 < end)
        {
            await RoundAsync(host, rounds++);
        }

        Assert.NotEqual(0, rounds);
    }

    private static async Task RoundAsync(TransportHost host, int round)
    {
        (RecordStream client, ConnectionContext connection) =
            await host.ConnectAsync(round % 2 == 0 ? TlsVersion.Tls13 : TlsVersion.Tls12);
        Task sending = Task.Run(() => Try(() =>
        {
            for (int i = 0; i < 20; i++)
            {
                client.Send(new byte[800 * i]);
            }

            client.Send(ContentType.Alert, 1, 0);
        }));
        Task receiving = Task.Run(() => Try(() => client.ReceiveAll()));
        Task reading = Task.Run(() => ReadAsync(connection));
        Task writing = Task.Run(() => WriteAsync(connection));
        Task cancelling = Task.Run(() =>
        {
            connection.Transport.Input.CancelPendingRead();
            connection.Transport.Output.CancelPendingFlush();
        });
        Task aborting = Task.Run(() =>
        {
            Thread.SpinWait(round * 100 % 20_000);
            if (round % 3 == 0)
            {
                connection.Abort();
            }
        });
        await Task.WhenAll(writing, cancelling, aborting).Within();
        Task disposing = Task.Run(() => connection.DisposeAsync().AsTask());
        await Task.WhenAll(disposing, reading, sending, receiving).Within();
        client.Dispose();
    }

    private static async Task ReadAsync(ConnectionContext connection)
    {
        try
        {
            ReadResult result;
            do
            {
                result = await connection.Transport.Input.ReadAsync();
                connection.Transport.Input.AdvanceTo(result.Buffer.GetPosition(result.Buffer.Length / 2), result.Buffer.End);
            }
            while (!result.IsCompleted);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The other hands of this test ended it, each in the way the contract names.
        }
        catch (ObjectDisposedException)
        {
            // The same.
        }
    }

    private static async Task WriteAsync(ConnectionContext connection)
    {
        for (int i = 0; i < 20; i++)
        {
            FlushResult result = await connection.Transport.Output.WriteAsync(new byte[1000 * i]);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // The server hung up, which is the point.
        }
        catch (Xunit.Sdk.XunitException)
        {
            // A reset may cut a record in two.
        }
    }

    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
}
