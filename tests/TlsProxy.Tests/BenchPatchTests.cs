using TestKit;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests;

/// <summary>The benchmark measures the price of the guarantee with a patch of the product, which must not be forgotten when the product changes.</summary>
public sealed class BenchPatchTests
{
    [Fact]
    public async Task The_patch_that_takes_the_guarantee_away_still_applies()
    {
        await using RunningProgram git = new("git", ["apply", "--check", "bench/unguarded.patch"], RepositoryFiles.Root);
        int code = await git.WaitForExitAsync(Timeouts.Program);
        Assert.True(code == 0, $"bench/publish-unguarded says how to remake it.\n{git.Output}");
    }
}
