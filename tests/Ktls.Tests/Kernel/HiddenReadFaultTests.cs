using TestKit.Processes;
using Xunit;

namespace Ktls.Tests.Kernel;

// Each case is a process of its own (tests/PageFault): some give up what they cannot get back, others must die.
public sealed class HiddenReadFaultTests
{
    [Theory]
    [InlineData(SetupCall, 1, "EPERM (not permitted, by the kernel, a security module or a container) False True False")]
    [InlineData(SetupCall, 38, "ENOSYS (this kernel has no such system call) True False False")]
    [InlineData(SetupCall, 12, "ENOMEM (out of memory) False False True")]
    [InlineData(EnterCall, 1, "EPERM (not permitted, by the kernel, a security module or a container) False True False")]
    public async Task A_filter_that_denies_the_ring_is_an_answer_and_no_exception(int call, int errno, string answer) =>
        Assert.Equal(answer, (await RunAsync("denied", $"{call}", $"{errno}")).Output.TrimEnd());

    // With none left, and with one, which is enough for the ring and not for /dev/zero.
    [Fact]
    public async Task A_process_without_descriptors_is_told_so() =>
        Assert.Matches("^True EMFILE .* True EMFILE ", (await RunAsync("no-descriptors")).Output);

    [Theory]
    [InlineData(2 << 20, 1 << 20, "pinned")]
    [InlineData(1 << 20, 2 << 20, "refused: 2 MiB of pages cannot be pinned: ENOMEM")]
    [InlineData(1 << 20, 2 << 20, "RLIMIT_MEMLOCK is 1 MiB")]
    [InlineData(1 << 20, 2 << 20, "LimitMEMLOCK=2M")]
    public async Task Pages_beyond_the_limit_are_refused_with_the_remedy(int limit, int bytes, string part) =>
        Assert.Contains(part, (await RunAsync("pinned", $"{limit}", $"{bytes}")).Output, StringComparison.Ordinal);

    [Theory]
    [InlineData("lost", "cannot be waited for")]
    [InlineData("zeros-lost", "were not zeroed")]
    public async Task It_dies_rather_than_go_on(string name, string lastWords)
    {
        CommandResult result = await RunAsync(name);
        Assert.Contains("ready", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("survived", result.Output, StringComparison.Ordinal);
        Assert.Contains(lastWords, result.Error, StringComparison.Ordinal);
        Assert.Equal(128 + 6, result.ExitCode);
    }

    private static Task<CommandResult> RunAsync(params string[] arguments)
    {
        // The runtime that runs this test lies at ROOT/shared/Microsoft.NETCore.App/VERSION, its host at ROOT.
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string program = Path.Combine(AppContext.BaseDirectory, "PageFault.dll");
        return CommandRunner.RunAsync(Path.GetFullPath(Path.Combine(runtime, "../../../dotnet")), ["exec", program, "ring", .. arguments]);
    }

    // include/uapi/asm-generic/unistd.h: io_uring_setup, io_uring_enter; the same on every architecture.
    private const int SetupCall = 425;
    private const int EnterCall = 426;
}
