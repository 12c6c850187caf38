using Aead;
using Aead.Keys;
using Aead.Pages;

namespace Ktls.Kernel;

/// <summary>Asks the running kernel. Each question has sockets of its own, which are gone when it is answered. Not thread-safe.</summary>
/// <param name="modules">Where kernels' packages put their modules.</param>
internal sealed class MachineProbe(string modules = "/lib/modules") : IMachineProbe
{
    public KernelRelease Release { get; } = KernelRelease.Read();

    public bool HasTlsModule => File.Exists(ModuleList) && File.ReadLines(ModuleList).Any(IsTls);

    public SyscallResult Attach() => Ask(static kernel => kernel.Attach());

    public SyscallResult Install(CipherSuite suite, KernelDirection direction) => Ask(kernel =>
    {
        using DirectionKeys keys = new SelfTestKeys(suite).Create();
        return kernel.Attach() is { Failed: true } refused ? refused : kernel.Install(direction, keys);
    });

    public SyscallResult Rekey() => Ask(static kernel =>
    {
        using DirectionKeys keys = new SelfTestKeys(CipherSuite.All.First(suite => suite.Version == TlsVersion.Tls13)).Create();
        SyscallResult first = kernel.Attach() is { Failed: true } refused ? refused : kernel.Install(KernelDirection.Transmit, keys);
        if (first.Failed)
        {
            return first;
        }

        keys.Update();
        return kernel.Install(KernelDirection.Transmit, keys);
    });

    public LayerReason? WhyNoHiddenReads()
    {
        using HiddenTestPages? hidden = HiddenTestPages.TryCreate(out LayerReason? whyNot);
        return whyNot;
    }

    public SelfTestVerdict Test(CipherSuite suite, KernelDirection direction, bool hidden)
    {
        try
        {
            return direction == KernelDirection.Transmit ? TestTransmit(suite) : TestReceive(suite, hidden);
        }
        catch (PagePoolException refused)
        {
            return SelfTestVerdict.Inconclusive(refused.Message);
        }
    }

    // A pool of its own, because the proxy's may be used up, and of one slot.
    private static SelfTestVerdict TestTransmit(CipherSuite suite)
    {
        using PagePool pool = PagePool.Create(new PagePolicy { Delivery = Delivery.Copy, BytesMax = 1 << 20 }, stages: 1);
        using DecryptStage stage = pool.CreateStage();
        return KernelSelfTest.TestTransmit(suite, Open, stage);
    }

    private static SelfTestVerdict TestReceive(CipherSuite suite, bool hidden)
    {
        if (!hidden)
        {
            return KernelSelfTest.TestReceive(suite, Open, hidden: null);
        }

        using HiddenTestPages? pages = HiddenTestPages.TryCreate(out LayerReason? whyNot);
        return pages == null ? SelfTestVerdict.Inconclusive(whyNot!.Sentence) : KernelSelfTest.TestReceive(suite, Open, pages);
    }

    // depmod(8) writes it; a line begins with the module's file, which may be compressed.
    private string ModuleList => Path.Combine(modules, Release.Name, "modules.dep");

    private static bool IsTls(string line) => Path.GetFileName(line.AsSpan(0, Math.Max(line.IndexOf(':', StringComparison.Ordinal), 0)))
        .StartsWith("tls.ko", StringComparison.Ordinal);

    private static KernelTlsSocket Open(int descriptor) => new(descriptor);

    private static SyscallResult Ask(Func<IKernelTls, SyscallResult> question)
    {
        using LoopbackPair? pair = LoopbackPair.TryCreate(out SyscallResult refusal);
        return pair == null ? refusal : question(Open(pair.Ours));
    }
}
