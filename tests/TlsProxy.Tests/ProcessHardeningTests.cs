using System.Globalization;
using TestKit;
using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests;

/// <summary>What concerns the process as a whole, looked at from outside.</summary>
public sealed class ProcessHardeningTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Every command begins with the same step; this one asks the kernel afterwards.</summary>
    [Fact]
    [Trait("Claim", "C5")]
    public async Task DoctorFindsItselfNotDumpable()
    {
        await using RunningProgram doctor = new(RepositoryFiles.ProxyExecutable, ["doctor"], _folder.FullPath);
        Assert.Equal(0, await doctor.WaitForExitAsync(Timeouts.Program));
        Assert.Matches(@"core dumps +off \(not dumpable, RLIMIT_CORE 0\)", doctor.Output);
        foreach (string subject in new[] { "kernel TLS", "open files", "OpenSSL", "cipher suites", "groups", "page pool", "flip or copy", "n*" })
        {
            Assert.Contains(subject, doctor.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Claim", "C5")]
    public async Task ARunningProxyMayNotDumpCore()
    {
        string config = _folder.File("a.json");
        await File.WriteAllTextAsync(config, """{ "TlsProxy": { "Listeners": { "a": { "Address": "127.0.0.1:0" } } } }""");
        await using RunningProgram proxy = new(RepositoryFiles.ProxyExecutable, ["--config", config], _folder.FullPath);
        await UntilAsync(() => proxy.Output.Contains("listening on https://127.0.0.1:", StringComparison.Ordinal));

        Assert.Matches(@"size +0 +0 +bytes", CoreLimitOf(proxy));
        await proxy.TerminateAsync();
        Assert.Equal(0, await proxy.WaitForExitAsync(Timeouts.Program));
        Assert.Contains("stopping: no new connections", proxy.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", proxy.Output, StringComparison.Ordinal);
    }

    /// <summary>Not even where whoever started it has allowed cores of any size, and whatever the signal.</summary>
    [Theory]
    [InlineData("SEGV")]
    [InlineData("ABRT")]
    [Trait("Claim", "C5")]
    public async Task AProxyThatCrashesLeavesNoCore(string signal)
    {
        string config = _folder.File("core.json");
        await File.WriteAllTextAsync(config, """{ "TlsProxy": { "Listeners": { "a": { "Address": "127.0.0.1:0" } } } }""");
        await using RunningProgram proxy = new(
            "sh", ["-c", "ulimit -c \"$(ulimit -H -c)\"; exec \"$0\" --config \"$1\"", RepositoryFiles.ProxyExecutable, config], _folder.FullPath);
        await UntilAsync(() => proxy.Output.Contains("listening on https://127.0.0.1:", StringComparison.Ordinal));
        string[] before = Cores();

        // The runtime takes the first SEGV that comes from outside for somebody else's and hands its signal back to the system.
        while (!proxy.HasExited)
        {
            await CommandRunner.RunAsync("sh", ["-c", $"kill -{signal} {proxy.Id} || true"]);
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }

        Assert.NotEqual(0, await proxy.WaitForExitAsync(Timeouts.Program));
        Assert.Equal(before, Cores());
    }

    /// <summary>The runtime's own dumper, which the environment switches on before this program has a word: then it says so.</summary>
    [Fact]
    public async Task ADumpThatTheEnvironmentAsksForIsWarnedAbout()
    {
        string config = _folder.File("dump.json");
        await File.WriteAllTextAsync(config, """{ "TlsProxy": { "Listeners": { "a": { "Address": "127.0.0.1:0" } } } }""");
        await using RunningProgram proxy = new(RepositoryFiles.ProxyExecutable, ["--config", config], _folder.FullPath,
            new Dictionary<string, string> { ["DOTNET_DbgEnableMiniDump"] = "1", ["DOTNET_DbgMiniDumpName"] = "/dev/null" });
        await UntilAsync(() => proxy.Output.Contains("listening on https://127.0.0.1:", StringComparison.Ordinal));
        await UntilAsync(() => proxy.Output.Contains("DOTNET_DbgEnableMiniDump is set", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnAddressInUseIsNamedTogetherWithTheWayToFindItsHolder()
    {
        using var holder = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        holder.Start();
        string address = holder.LocalEndpoint.ToString()!;
        string config = _folder.File("b.json");
        await File.WriteAllTextAsync(config, $$"""{ "TlsProxy": { "Listeners": { "web": { "Address": "{{address}}" } } } }""");
        await using RunningProgram proxy = new(RepositoryFiles.ProxyExecutable, ["--config", config], _folder.FullPath);
        Assert.Equal(3, await proxy.WaitForExitAsync(Timeouts.Program));
        await UntilAsync(() => proxy.Output.Contains($"Listener 'web' cannot listen on {address}: the address is in use", StringComparison.Ordinal));
        Assert.Contains("ss -ltnp", proxy.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", proxy.Output, StringComparison.Ordinal);
    }

    private static string CoreLimitOf(RunningProgram program) => File.ReadLines($"/proc/{program.Id.ToString(CultureInfo.InvariantCulture)}/limits")
        .Single(line => line.StartsWith("Max core file size", StringComparison.Ordinal));

    // Where the kernel's core_pattern says, if that is a place, and where the program runs.
    private string[] Cores()
    {
        string pattern = File.ReadAllText("/proc/sys/kernel/core_pattern").Trim();
        string? folder = pattern.StartsWith('/') ? Path.GetDirectoryName(pattern) : null;
        string[] folders = Directory.Exists(folder) ? [folder, _folder.FullPath] : [_folder.FullPath];
        return [.. folders.SelectMany(f => Directory.EnumerateFiles(f)).Where(f => Path.GetFileName(f).Contains("core", StringComparison.Ordinal))
            .Where(f => !f.EndsWith(".json", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using CancellationTokenSource patience = new(Timeouts.Program);
        while (!holds())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), patience.Token);
        }
    }
}
