using System.Diagnostics;
using Ktls.Kernel;
using Ktls.Tests.ReceivePath;
using TestKit;
using Xunit;

namespace Kernel.Tests.ReceivePath;

/// <summary>The stories of tests/Ktls.Tests/ReceivePath, told to real kernels.</summary>
public sealed class KernelReceivePathProperties
{
    [Fact]
    public async Task A_consumer_sees_an_authentic_prefix_and_the_right_end_and_nobody_sees_more()
    {
        KernelSupport support = new(new MachineProbe());
        await using StoryBook book = new((delivery, patience) => new KernelStoryteller(delivery, support) { Patience = patience });
        long start = Stopwatch.GetTimestamp();
        book.Tell(StoryArbitrary.Create(support.SupportsRekey), TestScale.Choose(300, 3000));
        TestContext.Current.TestOutputHelper?.WriteLine($"{book}in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        book.AssertDeliveries();
    }
}
