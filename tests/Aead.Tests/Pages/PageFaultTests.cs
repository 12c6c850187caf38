using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Aead.Pages;
using Xunit;

namespace Aead.Tests.Pages;

// A fault on a guarded page ends the process, so each case is a child (tests/PageFault) that must say it is
// ready, die of a signal, and never say it survived.
[Trait("Claim", "I2")]
[Trait("Claim", "I4")]
[Trait("Claim", "I5")]
public sealed class PageFaultTests
{
    [Theory]
    [InlineData("read-hidden")]
    [InlineData("read-freed")]
    [InlineData("read-over-run")]
    [InlineData("read-under-run")]
    [InlineData("write-exposed")]
    [InlineData("write-hidden-over-run")]
    [InlineData("write-hidden-under-run")]
    [InlineData("hide-refused")]
    public async Task It_dies_at_the_touch(string name)
    {
        (int exitCode, string output) = await RunAsync(name);
        Assert.Contains("ready", output, StringComparison.Ordinal);
        Assert.DoesNotContain("survived", output, StringComparison.Ordinal);
        // SIGABRT, which the runtime raises on a fault, or SIGSEGV itself.
        Assert.Contains(exitCode, new[] { 128 + 6, 128 + 11 });
    }

    [Fact]
    public async Task The_control_that_reads_an_exposed_page_lives()
    {
        (int exitCode, string output) = await RunAsync("read-exposed");
        Assert.Equal(0, exitCode);
        Assert.Contains("survived", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8 << 20, Locking.BestEffort, 32, 4 << 20, "bounded to 8 MiB")]
    [InlineData(8 << 20, Locking.Required, 32, 4 << 20, "bounded to 8 MiB")]
    [InlineData(1 << 20, Locking.BestEffort, 4, 1 << 20, "bounded to 1 MiB")]
    [InlineData(256 << 10, Locking.BestEffort, 2, 256 << 10, "1 of 2 decrypt slots are not locked")]
    [InlineData(0, Locking.BestEffort, 2, 0, "2 of 2 decrypt slots are not locked")]
    public async Task The_pool_fits_what_the_process_may_lock(
        int limit, Locking locking, int slotsMax, int locked, string notice)
    {
        string memlock = limit.ToString(CultureInfo.InvariantCulture);
        (int exitCode, string output) = await RunAsync("status", memlock, $"{locking}", "2");
        Assert.Equal(0, exitCode);
        PagePoolStatus status = JsonSerializer.Deserialize<PagePoolStatus>(output)!;
        Assert.Equal((slotsMax, (long)locked), (status.SlotsMax, status.BytesLocked));
        Assert.Contains(notice, status.Notice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Required_locking_refuses_a_low_limit_with_the_remedy()
    {
        (int exitCode, string output) = await RunAsync("status", "1048576", "Required", "2");
        Assert.Equal(0, exitCode);
        Assert.StartsWith("refused: ", output, StringComparison.Ordinal);
        Assert.Contains("RLIMIT_MEMLOCK is 1 MiB", output, StringComparison.Ordinal);
        Assert.Contains("LimitMEMLOCK=4M", output, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        // The runtime that runs this test lies at ROOT/shared/Microsoft.NETCore.App/VERSION, its host at
        // ROOT.
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var start = new ProcessStartInfo(Path.GetFullPath(Path.Combine(runtime, "../../../dotnet")))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "PageFault.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using Process child = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Task<string> errors = child.StandardError.ReadToEndAsync(timeout.Token);
        string output = await child.StandardOutput.ReadToEndAsync(timeout.Token);
        await errors;
        await child.WaitForExitAsync(timeout.Token);
        return (child.ExitCode, output);
    }
}
