using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.Transport;

[Trait("Claim", "C4")]
public class LineLimitTests
{
    [Fact]
    public async Task A_flood_of_lines_is_cut_off_and_counted()
    {
        LineLimit limit = new();
        int taken = Enumerable.Range(0, 10_000).Count(_ => limit.TryTake(out int _));
        Assert.InRange(taken, 200, 1000);

        await TestRecords.UntilAsync(
            () => limit.TryTake(out int leftOut) && leftOut >= 10_000 - taken, "a line is allowed again and says what was left out");
    }
}
