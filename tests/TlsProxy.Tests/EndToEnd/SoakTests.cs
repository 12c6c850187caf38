using System.Diagnostics;
using TestKit;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using TlsProxy.Tests.EndToEnd.Soak;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>
/// Does the proxy stay right and stay small for as long as one likes, while some of its clients and origins misbehave? tests/soak asks for
/// half an hour.
/// </summary>
[Collection(AloneDefinition.Name)]
[Trait("Claim", "C4")]
[Trait("Claim", "C9")]
public sealed class SoakTests(SoakFixture origins) : EndToEndTest(origins.Proxy), IClassFixture<SoakFixture>
{
    [Fact]
    public async Task MixedTrafficWithFaultsLosesNothingAndLeaksNothing()
    {
        // Clients that block have a thread each; waiting for the pool to grow would only be a slower start.
        ThreadPool.SetMinThreads(Workers, Workers);
        SoakLedger ledger = new();
        SoakWatch watch = new(Proxy);
        ProxyBaseline before = await ProxyBaseline.TakeAsync(Proxy, await watch.TakeRowAsync("before", looks: 1));
        using CancellationTokenSource end = new();
        Task[] running = [watch.RunAsync(end.Token), origins.KillAndRestartAsync(end.Token), .. StartClients(ledger, end.Token)];

        await Task.Delay(WarmUp);
        ProxyFigures start = await watch.TakeRowAsync("start", Looks);
        await Task.Delay(TestScale.Soak / 2);
        await watch.TakeRowAsync("middle", Looks);
        await Task.Delay(TestScale.Soak / 2);
        ProxyFigures finish = await watch.TakeRowAsync("end", Looks);
        await end.CancelAsync();
        await Task.WhenAll(running).WaitAsync(Timeouts.Bulk);
        await UntilAsync(before.IsGivenBackAsync, Timeouts.Program);
        await watch.TakeRowAsync("after", looks: 4);
        Report(ledger, watch);

        Assert.True(Proxy.IsRunning);
        Assert.Equal([], ledger.Errors.Take(ErrorsShown));
        Assert.All(SoakClient.All, client => Assert.True(ledger.Rounds.GetValueOrDefault(client.Name) > 0, $"Never came to an end: {client.Name}."));
        Assert.Equal(0, origins.Kestrel.Uploads.Forged);
        Assert.Equal(ledger.Uploads, origins.Kestrel.Uploads.Completed);
        Assert.InRange(finish.ResidentBytes - start.ResidentBytes, long.MinValue, ResidentGrowthMax);
        Assert.InRange(finish.ManagedBytes - start.ManagedBytes, long.MinValue, ManagedGrowthMax);
        Assert.InRange(finish.Threads - start.Threads, long.MinValue, ThreadGrowthMax);
        Assert.Equal(0, before.Figures.CopyBytes);
        Assert.True(await before.IsGivenBackAsync(), "What ended connections held was not given back.");
    }

    private IEnumerable<Task> StartClients(SoakLedger ledger, CancellationToken end)
    {
        int seed = TestScale.Full ? Environment.TickCount : 1;
        foreach (SoakClient client in SoakClient.All)
        {
            for (int worker = 0; worker < client.Share * Workers / 100; worker++)
            {
                SoakSession session = new(origins, ledger, new Random(seed++), end);
                yield return Task.Run(() => client.RunAsync(session), CancellationToken.None);
            }
        }
    }

    private static void Report(SoakLedger ledger, SoakWatch watch)
    {
        ITestOutputHelper? output = TestContext.Current.TestOutputHelper;
        output?.WriteLine(watch.ToTable());
        foreach (SoakClient client in SoakClient.All)
        {
            output?.WriteLine($"{ledger.Rounds.GetValueOrDefault(client.Name),9} {client.Name}");
        }

        output?.WriteLine($"{ledger.Bytes >> 20} MiB of bodies compared, {ledger.Uploads} uploads received whole, {ledger.Errors.Count} errors.");
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, TimeSpan patience)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (watch.Elapsed < patience && !await holds())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
    }

    private static int Workers => TestScale.Choose(50, 100);

    private static int Looks => TestScale.Choose(4, 20);

    // The heap reaches its size within the first seconds, the pools of all parts within the first minute.
    private static TimeSpan WarmUp => TimeSpan.FromSeconds(Math.Clamp(TestScale.Soak.TotalSeconds / 10, 2, 60));

    // What one look may differ from another under this load. In a run of seconds the program still grows into its usual size.
    private static long ResidentGrowthMax => TestScale.Choose(128, 48) << 20;

    private static long ManagedGrowthMax => TestScale.Choose(32, 16) << 20;

    private const int ThreadGrowthMax = 16;

    private const int ErrorsShown = 5;
}
