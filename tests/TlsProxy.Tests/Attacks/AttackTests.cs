using System.Diagnostics;
using TestKit;
using TestKit.Processes;
using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace TlsProxy.Tests.Attacks;

/// <summary>
/// Is the program, after each attack of the catalogue, the same process, no larger than it may be, serving the next client, and has its
/// backend seen nothing that nobody sent? tests/attack asks with more of everything.
/// </summary>
[Collection(AloneDefinition.Name)]
[Trait("Claim", "C3")]
[Trait("Claim", "C4")]
[Trait("Claim", "C9")]
[Trait("Claim", "C11")]
public sealed class AttackTests(AttackFixture fixture) : IClassFixture<AttackFixture>
{
    /// <summary>All, or those that contain what TLSPROXY_ATTACK says.</summary>
    public static TheoryData<string> Names() => [.. AttackCatalogue.All.Select(attack => attack.Name).Where(name => name.Contains(Chosen, StringComparison.Ordinal))];

    private static string Chosen => Environment.GetEnvironmentVariable("TLSPROXY_ATTACK") ?? "";

    [Theory]
    [MemberData(nameof(Names))]
    public async Task TheProxyWithstands(string name)
    {
        Attack attack = AttackCatalogue.All.Single(row => row.Name == name);
        await using ProxyProcess? own = attack.Alone is null ? null : await fixture.StartProxyAsync(attack.Alone);
        ProxyProcess proxy = own ?? fixture.Proxy;
        try
        {
            await AttackAsync(attack, proxy);
        }
        catch
        {
            string output = proxy.Output;
            TestContext.Current.TestOutputHelper?.WriteLine($"The proxy's last words:\n{output[Math.Max(0, output.Length - WordsShown)..]}");
            throw;
        }
    }

    [Fact]
    public void NoAttackIsInTheCatalogueTwice() =>
        Assert.Equal(AttackCatalogue.All.Count, AttackCatalogue.All.Select(attack => attack.Name).Distinct().Count());

    private async Task AttackAsync(Attack attack, ProxyProcess proxy)
    {
        fixture.Recorder.TakeRequests();
        AttackScene scene = new(proxy, fixture);
        await using (AttackScene warmUp = new(proxy, fixture))
        {
            await warmUp.ServeGoodClientAsync();
            fixture.Recorder.TakeRequests();
        }

        ProxyFigures before = await proxy.LookAsync(collect: true);
        using AttackWatch watch = new(proxy, before, attack.EndsProxy);
        string did;
        await using (scene)
        {
            did = await attack.ActAsync(scene);
            if (!attack.EndsProxy)
            {
                // Two: the second may be the one that gets an answer to what was smuggled.
                await scene.ServeGoodClientAsync();
                await scene.ServeGoodClientAsync();
            }
        }

        AttackPeak peak = await watch.EndAsync();
        AssertNothingForged(scene);
        fixture.Table.Add(attack, did, peak, scene.NextServed);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{attack.Name}: {did}; +{peak.ResidentGrowth >> 20} MiB, +{peak.DescriptorGrowth} descriptors, next served after {scene.NextServed?.TotalMilliseconds:0} ms");
        Assert.NotEqual(attack.EndsProxy, proxy.IsRunning);
        Assert.InRange(peak.ResidentGrowth, long.MinValue, attack.ResidentGrowthMax);
        Assert.InRange(peak.DescriptorGrowth, long.MinValue, attack.DescriptorGrowthMax);
        if (!attack.EndsProxy)
        {
            Assert.InRange(scene.NextServed!.Value, TimeSpan.Zero, NextServedMax);
            await AssertNothingIsKeptAsync(proxy, before);
        }
    }

    private void AssertNothingForged(AttackScene scene)
    {
        Assert.Equal([], fixture.Recorder.TakeRequests().Where(arrived => !scene.IsSent(arrived)));
        Assert.Equal([], fixture.Recorder.Violations);
    }

    private static async Task AssertNothingIsKeptAsync(ProxyProcess proxy, ProxyFigures before)
    {
        Stopwatch watch = Stopwatch.StartNew();
        ProxyFigures now = await proxy.LookAsync();
        while (now.Connections > 0 || now.CopyBytes > before.CopyBytes || now.Slots > StagesMax || now.Descriptors > before.Descriptors + DescriptorsKeptMax)
        {
            Assert.True(watch.Elapsed < Timeouts.Program, $"Not given back: {now}, before: {before}");
            await Task.Delay(TimeSpan.FromMilliseconds(50));

            // What Kestrel has forgotten comes back when its garbage is collected.
            now = await proxy.LookAsync(collect: watch.Elapsed > PatienceWithoutCollection);
        }
    }

    // A client that is served in this time does not know of the attack; on an idle machine it takes a hundredth.
    private static TimeSpan NextServedMax => Timeouts.Exchange / 4;

    // Idle connections to origins, which YARP keeps for the next request, and what the runtime makes once.
    private static int DescriptorsKeptMax => TestScale.Choose(64, 256);

    // One per event loop, and as many for reads off the loops, made when first needed.
    private static int StagesMax => 2 * Environment.ProcessorCount;

    private static readonly TimeSpan PatienceWithoutCollection = TimeSpan.FromSeconds(2);

    private const int WordsShown = 10_000;
}
