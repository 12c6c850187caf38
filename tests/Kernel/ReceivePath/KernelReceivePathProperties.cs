using System.Diagnostics;
using Aead;
using Ktls.Kernel;
using Ktls.Tests.ReceivePath;
using TestKit;
using Xunit;

namespace Kernel.Tests.ReceivePath;

/// <summary>The stories of tests/Ktls.Tests/ReceivePath, told to real kernels.</summary>
[Trait("Claim", "I1")]
[Trait("Claim", "I2")]
[Trait("Claim", "I3")]
[Trait("Claim", "I4")]
[Trait("Claim", "C1")]
[Trait("Claim", "C2")]
public sealed class KernelReceivePathProperties
{
    [Fact]
    public async Task A_consumer_sees_an_authentic_prefix_and_the_right_end_and_nobody_sees_more()
    {
        KernelSupport support = new(new MachineProbe());
        await using StoryBook book = new((delivery, patience) => new KernelStoryteller(delivery, support) { Patience = patience });

        // The older kernel takes four times as long for a story.
        int usual = support.SupportsRekey ? 400 : 200;
        long start = Stopwatch.GetTimestamp();
        book.Tell(StoryArbitrary.Create(Fits), TestScale.Choose(usual, 3000));
        TestContext.Current.TestOutputHelper?.WriteLine($"{book}in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        book.AssertDeliveries();

        // What the kernel makes of the outer type has a test of its own: KernelFactsTests.
        bool Fits(Story story) =>
            (support.SupportsRekey || !story.Records.Any(record => record.ChangesKeys))
            && !(story.Suite.Version == TlsVersion.Tls13 && story.Tampering.ChangesOuterType);
    }
}
