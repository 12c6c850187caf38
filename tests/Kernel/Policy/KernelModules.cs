using TestKit;
using TestKit.Processes;
using Xunit;

namespace Kernel.Tests.Policy;

/// <summary>What is unloaded or forbidden is so for the whole machine: these tests run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class KernelModulesDefinition
{
    public const string Name = "Kernel modules";
}

/// <summary>A kernel that finds some of its modules no more when it looks for them, until this is disposed.</summary>
internal sealed class KernelModules : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _loader = File.ReadAllText(LoaderSetting).TrimEnd();

    private KernelModules(string patterns)
    {
        string script = _directory.File("modprobe");
        File.WriteAllText(script, $"#!/bin/sh\ncase \"$*\" in {patterns}) exit 1 ;; esac\nexec {_loader} \"$@\"\n");
        File.SetUnixFileMode(script, Executable);
        File.SetUnixFileMode(_directory.FullPath, Executable);
        File.WriteAllText(LoaderSetting, script);
    }

    /// <param name="patterns">Of the shell's "case", for what the kernel asks of modprobe.</param>
    /// <param name="modules">Unloaded if they are loaded.</param>
    public static async Task<KernelModules> WithoutAsync(string patterns, params string[] modules)
    {
        KernelModules made = new(patterns);
        foreach (string module in modules)
        {
            await UnloadAsync(module);
        }

        return made;
    }

    /// <summary>Waits for the last user to go, who may just be closing.</summary>
    public static async Task UnloadAsync(string module)
    {
        for (long end = Environment.TickCount64 + (long)Timeouts.Exchange.TotalMilliseconds; IsLoaded(module);)
        {
            CommandResult removed = await CommandRunner.RunAsync("rmmod", [module]);
            if (removed.ExitCode != 0)
            {
                Assert.True(Environment.TickCount64 < end, removed.Everything);
                await Task.Delay(50);
            }
        }
    }

    public static bool IsLoaded(string module) =>
        File.ReadLines("/proc/modules").Any(line => line.StartsWith(module + " ", StringComparison.Ordinal));

    public void Dispose()
    {
        File.WriteAllText(LoaderSetting, _loader);
        _directory.Dispose();
    }

    private const string LoaderSetting = "/proc/sys/kernel/modprobe";
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
}
