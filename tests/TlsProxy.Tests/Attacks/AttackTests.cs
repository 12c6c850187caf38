using TestKit.Processes;
using TlsProxy.Tests.EndToEnd;
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

    /// <summary>Again, without the others: for whoever breaks the product on purpose (tests/mutants).</summary>
    [Theory]
    [InlineData("random bytes")]
    [InlineData("smuggling: disguised transfer codings (TE.TE)")]
    [InlineData("downgrade: fields of a connection")]
    public Task TheProxyWithstandsAFew(string name) => TheProxyWithstands(name);

    [Fact]
    public void NoAttackIsInTheCatalogueTwice() =>
        Assert.Equal(AttackCatalogue.All.Count, AttackCatalogue.All.Select(attack => attack.Name).Distinct().Count());

    private async Task AttackAsync(Attack attack, ProxyProcess proxy)
    {
        fixture.AssertNothingForged();
        fixture.Sent = new SentRequests();
        await using (AttackScene warmUp = new(proxy, fixture))
        {
            await warmUp.ServeGoodClientAsync();
        }

        fixture.AssertNothingForged();
        ProxyBaseline before = await ProxyBaseline.TakeAsync(proxy);
        AttackScene scene = new(proxy, fixture);
        using AttackWatch watch = new(proxy, before.Figures, attack.EndsProxy);
        string did;
        await using (scene)
        {
            did = await attack.ActAsync(scene);
            if (!attack.EndsProxy)
            {
                // Two: the second may be the one that gets an answer to what was smuggled.
                await scene.ServeGoodClientAsync();
                await scene.ServeGoodClientAsync();
                await before.AssertHeldAsync(attack.DescriptorsHeldMax);
            }
        }

        AttackPeak peak = await watch.EndAsync();
        fixture.Table.Add(attack, did, peak, scene.NextServed);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{attack.Name}: {did}; +{peak.ResidentGrowth >> 20} MiB, +{peak.DescriptorGrowth} descriptors, next served after {scene.NextServed?.TotalMilliseconds:0} ms");
        Assert.NotEqual(attack.EndsProxy, proxy.IsRunning);
        Assert.InRange(peak.ResidentGrowth, long.MinValue, attack.ResidentGrowthMax);
        Assert.InRange(peak.DescriptorGrowth, long.MinValue, attack.DescriptorGrowthMax);
        if (!attack.EndsProxy)
        {
            Assert.InRange(scene.NextServed!.Value, TimeSpan.Zero, attack.NextServedMax);
            await before.AssertGivenBackAsync();
        }

        // Last: until everything is given back something may be on its way.
        fixture.AssertNothingForged();
    }

    private const int WordsShown = 10_000;
}
