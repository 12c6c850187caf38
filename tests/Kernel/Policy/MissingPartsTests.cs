using Aead;
using Aead.Algorithms;
using Ktls;
using Ktls.Kernel;
using TestKit;
using TestKit.Network;
using TestKit.Processes;
using Xunit;

namespace Kernel.Tests.Policy;

/// <summary>Does a real machine that lacks something give the answers the fallback table is made of?</summary>
[Collection(KernelModulesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class MissingPartsTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    [Fact]
    public async Task Without_the_module_tls_everything_is_in_user_space_and_On_refuses_to_start()
    {
        using KernelModules without = await KernelModules.WithoutAsync("*tls*", "tls");
        KernelSupport support = new(new MachineProbe(_folder.FullPath));
        AssertReasons(support, "no_tls_module", "no_tls_module");
        Assert.False(support.SupportsRekey);
        Assert.False(KernelModules.IsLoaded("tls"));

        File.WriteAllText(_folder.File("on.json"), Configuration("{ \"Transmit\": \"On\" }"));
        CommandResult refused = await CommandRunner.RunAsync(
            RepositoryFiles.ProxyExecutable, ["run", "--config", _folder.File("on.json")], timeout: Timeouts.Program);
        Assert.Equal(3, refused.ExitCode);
        Assert.Equal(
            "error: Listener 'https' has Kernel:Transmit On, but this kernel has no module tls; boot one that was built with CONFIG_TLS; "
            + "or set Kernel:Transmit to Auto.\n",
            refused.Error);
    }

    [Fact]
    public async Task A_module_that_is_there_but_not_loaded_is_out_of_an_ordinary_users_reach()
    {
        // The list of a kernel's package, where nobody may read it.
        string list = _folder.File(Path.Combine(KernelRelease.Read().Name, "modules.dep"));
        Directory.CreateDirectory(Path.GetDirectoryName(list)!);
        File.WriteAllText(list, "kernel/net/tls/tls.ko:\n");
        File.SetUnixFileMode(_folder.FullPath, (UnixFileMode)0b111_101_101);

        await KernelModules.UnloadAsync("tls");
        LayerReason? why = Unprivileged.Run(() => WhyNot(new KernelSupport(new MachineProbe(_folder.FullPath)), KernelDirection.Transmit));
        Assert.Equal("tls_module_not_loaded", why?.Code);

        // Root loads it by asking, and then everybody has it.
        AssertReasons(new KernelSupport(new MachineProbe(_folder.FullPath)), null, null);
        Assert.Null(Unprivileged.Run(() => WhyNot(new KernelSupport(new MachineProbe(_folder.FullPath)), KernelDirection.Transmit)));
    }

    [Fact]
    public async Task Without_its_module_an_AEAD_stays_in_user_space_alone()
    {
        using KernelModules without = await KernelModules.WithoutAsync("*crypto-rfc7539*|*chacha20poly1305*", "chacha20poly1305");
        KernelSupport support = new(new MachineProbe());
        foreach (CipherSuite suite in CipherSuite.All)
        {
            string? expected = suite.Aead == AeadAlgorithm.ChaCha20Poly1305 ? "no_aead" : null;
            Assert.Equal(expected, support.WhyNot(Accepts(support), suite, KernelDirection.Receive)?.Code);
            Assert.Equal(expected, support.WhyNot(Accepts(support), suite, KernelDirection.Transmit)?.Code);
        }
    }

    [Fact]
    public void Too_little_memory_to_pin_costs_an_ordinary_user_the_kernels_TLS_12()
    {
        // Root's question loads what an ordinary user could not.
        Assert.False(new MachineProbe().Attach().Failed);
        using LowMemlock low = new(64 << 10);
        KernelSupport support = new(new MachineProbe());
        _ = Unprivileged.Run(support.Test);
        Assert.Equal("memlock_too_small", support.WhyNoHiddenReads?.Code);
        AssertReasons(support, "tls12_needs_hidden_receive", null);
    }

    [Fact]
    [Trait("Needs", "Rekey")]
    public void Where_io_uring_is_switched_off_TLS_12_is_received_in_user_space()
    {
        File.WriteAllText(IoUringSetting, "2");
        try
        {
            KernelSupport support = new(new MachineProbe());
            Assert.Equal("io_uring_refused", support.WhyNoHiddenReads?.Code);
            AssertReasons(support, "tls12_needs_hidden_receive", null);
        }
        finally
        {
            File.WriteAllText(IoUringSetting, "0");
        }
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertReasons(KernelSupport support, string? receive12, string? receive13)
    {
        foreach (CipherSuite suite in CipherSuite.All)
        {
            string? expected = suite.Version == TlsVersion.Tls12 ? receive12 : receive13;
            Assert.Equal(expected, support.WhyNot(Accepts(support), suite, KernelDirection.Receive)?.Code);
        }

        Assert.Equal(receive13, WhyNot(support, KernelDirection.Transmit)?.Code);
    }

    private static LayerReason? WhyNot(KernelSupport support, KernelDirection direction) =>
        support.WhyNot(Accepts(support), CipherSuite.All[0], direction);

    private static KernelPolicy Accepts(KernelSupport support) => new() { Accept = [support.Release.Name] };

    private static string Configuration(string kernel) =>
        $$"""{ "TlsProxy": { "Listeners": { "https": { "Address": "127.0.0.1:{{FreePort.Next()}}", "Kernel": {{kernel}} } } } }""";

    // Linux 6.6 and later.
    private const string IoUringSetting = "/proc/sys/kernel/io_uring_disabled";
}
