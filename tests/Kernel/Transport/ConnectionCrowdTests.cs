using System.Diagnostics;
using Aead;
using Ktls.Tests.Transport;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using TestKit;
using Xunit;

namespace Kernel.Tests.Transport;

/// <summary>What a thousand connections cost that come and go, or only sit there.</summary>
[Trait("Claim", "C4")]
public sealed class ConnectionCrowdTests
{
    [Fact]
    public async Task A_thousand_connections_half_of_them_killed_while_read_leave_nothing_behind()
    {
        await using KernelCrowd crowd = new();
        await RunRoundAsync(crowd, connections: 100, seed: 0);
        await Settle(crowd);
        int descriptors = KernelCrowd.Descriptors;
        for (int round = 1; round <= Rounds; round++)
        {
            await RunRoundAsync(crowd, connections: 1000, seed: round);
        }

        await Settle(crowd);
        Assert.Equal(0, crowd.SlotsInUse);
        // A loop closes what has left at the end of its turn.
        await TestRecords.UntilAsync(() => KernelCrowd.Descriptors <= descriptors, "all descriptors are closed");
        await AssertNoThreadWaitsAsync(crowd);
    }

    [Fact]
    public async Task A_thousand_half_and_empty_records_cost_neither_threads_nor_slots_nor_time()
    {
        await using KernelCrowd crowd = new();
        await RunRoundAsync(crowd, connections: 10, seed: 0);
        await Settle(crowd);

        List<(TlsConnection Server, KernelCrowd.Client Client)> all = [];
        List<Task> reading = [];
        for (int i = 0; i < 1000; i++)
        {
            (TlsConnection server, KernelCrowd.Client client) = crowd.Connect(Suites[i % Suites.Length]);
            all.Add((server, client));
            reading.Add(KernelCrowd.ConsumeAsync(server));
            if (i / 2 % 2 == 0)
            {
                client.Send(contentLength: 5000, bytesMax: 2500);
            }
            else
            {
                client.Send(contentLength: 0);
            }
        }

        await Task.Delay(TimeSpan.FromSeconds(1));
        TimeSpan before = KernelCrowd.ProcessorTime;
        long start = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(5));
        double share = (KernelCrowd.ProcessorTime - before) / Stopwatch.GetElapsedTime(start);
        TestContext.Current.TestOutputHelper?.WriteLine($"{share:P2} of a processor, {KernelCrowd.KernelThreads} kernel threads");
        Assert.InRange(share, 0, ShareMax);
        Assert.Equal(0, crowd.SlotsInUse);
        await AssertNoThreadWaitsAsync(crowd);
        Assert.All(reading, task => Assert.False(task.IsCompleted));

        all.ForEach(pair => pair.Client.Dispose());
        await Task.WhenAll(reading).Within();
    }

    /// <summary>
    /// A read that waited in the kernel would keep a thread of its own. A ring that once had workers keeps the last, and others for five
    /// seconds without work (WORKER_IDLE_TIMEOUT in io_uring/io-wq.c).
    /// </summary>
    private static async Task AssertNoThreadWaitsAsync(KernelCrowd crowd)
    {
        long start = Stopwatch.GetTimestamp();
        while (KernelCrowd.KernelThreads > crowd.Rings)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < IdleWorkersMax, $"{KernelCrowd.KernelThreads} kernel threads");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    private static async Task RunRoundAsync(KernelCrowd crowd, int connections, int seed)
    {
        Random random = new(seed);
        List<(TlsConnection Server, KernelCrowd.Client Client)> all = [];
        List<Task<long>> reading = [];
        for (int i = 0; i < connections; i++)
        {
            (TlsConnection server, KernelCrowd.Client client) = crowd.Connect(Suites[i % Suites.Length]);
            all.Add((server, client));
            reading.Add(KernelCrowd.ConsumeAsync(server));
        }

        // Another thread kills while the loop reads.
        Task killing = Task.Run(() =>
        {
            foreach ((TlsConnection server, _) in all.Where((_, i) => i % 2 == 0))
            {
                server.Abort(new ConnectionAbortedException("The test kills it."));
            }
        });
        foreach ((_, KernelCrowd.Client client) in all)
        {
            SendIgnoringReset(client, random.Next(1, 2000));
        }

        await killing;
        all.ForEach(pair => pair.Client.Dispose());
        await Task.WhenAll(reading).Within();
    }

    private static void SendIgnoringReset(KernelCrowd.Client client, int length)
    {
        try
        {
            client.Send(length);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Killed already.
        }
    }

    private static Task Settle(KernelCrowd crowd) =>
        TestRecords.UntilAsync(() => crowd.Open == 0 && crowd.SlotsInUse == 0, "all connections leave and all slots come back");

    private static readonly CipherSuite[] Suites =
        [CipherSuite.Find("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")!, CipherSuite.Find("TLS_CHACHA20_POLY1305_SHA256")!];

    private static readonly TimeSpan IdleWorkersMax = TimeSpan.FromSeconds(30);
    private static int Rounds => TestScale.Choose(10, 50);
    private const double ShareMax = 0.02;
}
