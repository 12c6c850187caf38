using System.Diagnostics;
using TestKit;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>What a proxy holds when nobody wants anything from it, and whether it comes back to that.</summary>
internal sealed class ProxyBaseline
{
    private readonly ProxyProcess _proxy;
    private readonly long _descriptors;

    private ProxyBaseline(ProxyProcess proxy, ProxyFigures figures, long descriptors)
    {
        _proxy = proxy;
        _descriptors = descriptors;
        Figures = figures;
    }

    public ProxyFigures Figures { get; }

    public static async Task<ProxyBaseline> TakeAsync(ProxyProcess proxy) => await TakeAsync(proxy, await proxy.LookAsync(collect: true));

    /// <summary>The same of figures that were seen just now.</summary>
    public static async Task<ProxyBaseline> TakeAsync(ProxyProcess proxy, ProxyFigures figures) =>
        new(proxy, figures, figures.Descriptors - await proxy.CountOriginConnectionsAsync());

    /// <summary>Whether everything that clients held is given back at this moment, without any help of the garbage collector.</summary>
    public async Task<bool> IsGivenBackAsync()
    {
        ProxyFigures now = await _proxy.LookAsync();
        return IsGivenBack(now, now.Descriptors - await _proxy.CountOriginConnectionsAsync());
    }

    /// <summary>Everything that clients held is given back, soon.</summary>
    public Task AssertGivenBackAsync() => AssertComesToAsync(IsGivenBack, PatienceWithoutCollection);

    /// <summary>So is what nobody misses after one attack and everybody after thousands.</summary>
    public async Task AssertNothingAddedUpAsync()
    {
        await AssertGivenBackAsync();
        await AssertComesToAsync(
            (now, _) => now.ManagedBytes <= Figures.ManagedBytes + ManagedGrowthMax && now.Threads <= Figures.Threads + ThreadGrowthMax, TimeSpan.Zero);
    }

    /// <summary>Of descriptors only so many are more than at the beginning, though everything is still held; soon, as alerts may arrive first.</summary>
    public async Task AssertHeldAsync(long descriptorsMax)
    {
        Stopwatch watch = Stopwatch.StartNew();
        ProxyFigures now;
        while ((now = await _proxy.LookAsync()).Descriptors - Figures.Descriptors > descriptorsMax)
        {
            Assert.True(watch.Elapsed < HeldPatience, $"Still held: {now}, before: {Figures}, allowed: {descriptorsMax}");
            await Task.Delay(Interval);
        }
    }

    private bool IsGivenBack(ProxyFigures now, long descriptors) =>
        now.Connections == 0 && now.CopyBytes <= Figures.CopyBytes && now.Slots <= StagesMax && descriptors <= _descriptors + FewDescriptors;

    private async Task AssertComesToAsync(Func<ProxyFigures, long, bool> isReached, TimeSpan patienceWithoutCollection)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (true)
        {
            // What Kestrel has forgotten comes back when its garbage is collected.
            ProxyFigures now = await _proxy.LookAsync(collect: watch.Elapsed > patienceWithoutCollection);
            long descriptors = now.Descriptors - await _proxy.CountOriginConnectionsAsync();
            if (isReached(now, descriptors))
            {
                return;
            }

            Assert.True(
                watch.Elapsed < Timeouts.Program, $"Not given back: {now}, {descriptors} descriptors but for those to origins; before: {Figures}, {_descriptors}");
            await Task.Delay(Interval);
        }
    }

    // One per event loop, and as many for reads off the loops, made when first needed.
    private static int StagesMax => 2 * Environment.ProcessorCount;

    // What the runtime makes when it first needs it and then keeps: its own event queues, a pipe.
    private const int FewDescriptors = 4;

    // Pools keep what was in use at once: 12 MiB of ours (OutgoingBlockPool), the rest Kestrel's and the runtime's.
    private static long ManagedGrowthMax => TestScale.Choose(24, 40) << 20;

    private const int ThreadGrowthMax = 16;

    // A shed client has two seconds for its alert; after ten a handshake would end by itself.
    private static readonly TimeSpan HeldPatience = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan PatienceWithoutCollection = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
}
