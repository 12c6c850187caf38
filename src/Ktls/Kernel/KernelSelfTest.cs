using System.Security.Cryptography;
using Aead;
using Aead.Keys;
using Aead.Pages;
using Aead.Records;

namespace Ktls.Kernel;

/// <summary>
/// Puts the kernel's records beside ours, on the loopback: what it sends must open here, what is sealed here must open there, and a record
/// that was tampered with must not, nor leave a byte that could be read. Whatever keeps the test from being made is no verdict. Not
/// thread-safe.
/// </summary>
internal static class KernelSelfTest
{
    /// <summary>The kernel sends, user space opens.</summary>
    /// <param name="suite">What protects the records.</param>
    /// <param name="open">A socket as kTLS sees it.</param>
    /// <param name="stage">Where they are decrypted.</param>
    public static SelfTestVerdict TestTransmit(CipherSuite suite, Func<int, IKernelTls> open, DecryptStage stage)
    {
        SelfTestKeys keys = new(suite);
        using LoopbackPair? pair = Prepare(keys, KernelDirection.Transmit, open, out IKernelTls? kernel, out SyscallResult refusal);
        if (pair == null || kernel == null)
        {
            return SelfTestVerdict.Inconclusive(refusal.ErrorName);
        }

        using RecordOpener opener = new(keys, pair.Peers, stage);
        foreach (SelfTestRecord record in SelfTestRecord.Sequence)
        {
            SelfTestVerdict verdict = FirstThatDidNotPass(() => Send(kernel, record), () => opener.Expect(record));
            if (verdict.Outcome != SelfTestOutcome.Passed)
            {
                return verdict;
            }
        }

        return SelfTestVerdict.Passed;
    }

    /// <summary>User space seals, the kernel opens, each way that connections use.</summary>
    /// <param name="suite">What protects the records.</param>
    /// <param name="open">A socket as kTLS sees it.</param>
    /// <param name="hidden">The ring and pages for hidden reads; null where there are none, and then TLS 1.2 cannot be tested.</param>
    public static SelfTestVerdict TestReceive(CipherSuite suite, Func<int, IKernelTls> open, HiddenTestPages? hidden)
    {
        List<Func<IKernelTls, int, KernelReader>> ways = [];
        if (suite.Version == TlsVersion.Tls13)
        {
            ways.Add((kernel, _) => new VerifiedReader(kernel));
        }

        if (hidden is { } pages)
        {
            ways.Add((kernel, descriptor) => new HiddenReader(kernel, descriptor, pages));
        }

        if (ways.Count == 0)
        {
            return SelfTestVerdict.Inconclusive("there is no way to receive that could be tested");
        }

        return FirstThatDidNotPass([.. ways.SelectMany(way => (IEnumerable<Func<SelfTestVerdict>>)
        [
            () => TestGenuine(suite, open, way),
            () => TestForgery(suite, open, way, fromEnd: false),
            () => TestForgery(suite, open, way, fromEnd: true),
        ])]);
    }

    private static SelfTestVerdict FirstThatDidNotPass(params ReadOnlySpan<Func<SelfTestVerdict>> steps)
    {
        foreach (Func<SelfTestVerdict> step in steps)
        {
            SelfTestVerdict verdict = step();
            if (verdict.Outcome != SelfTestOutcome.Passed)
            {
                return verdict;
            }
        }

        return SelfTestVerdict.Passed;
    }

    private static SelfTestVerdict TestGenuine(CipherSuite suite, Func<int, IKernelTls> open, Func<IKernelTls, int, KernelReader> way)
    {
        SelfTestKeys keys = new(suite);
        using LoopbackPair? pair = Prepare(keys, KernelDirection.Receive, open, out IKernelTls? kernel, out SyscallResult refusal);
        if (pair == null || kernel == null)
        {
            return SelfTestVerdict.Inconclusive(refusal.ErrorName);
        }

        using RecordEncryptor encryptor = new(keys.Create());
        KernelReader reader = way(kernel, pair.Ours);
        foreach (SelfTestRecord record in SelfTestRecord.Sequence)
        {
            byte[] wire = [.. record.Seal(encryptor).SelectMany(bytes => bytes)];
            SelfTestVerdict verdict = FirstThatDidNotPass(() => SendWire(pair, wire), () => reader.Expect(record));
            if (verdict.Outcome != SelfTestOutcome.Passed)
            {
                return verdict;
            }
        }

        return SelfTestVerdict.Passed;
    }

    // A genuine record and a forged one arrive together: that is when kernels have left the bytes of the second behind the first.
    private static SelfTestVerdict TestForgery(
        CipherSuite suite, Func<int, IKernelTls> open, Func<IKernelTls, int, KernelReader> way, bool fromEnd)
    {
        SelfTestKeys keys = new(suite);
        using LoopbackPair? pair = Prepare(keys, KernelDirection.Receive, open, out IKernelTls? kernel, out SyscallResult refusal);
        if (pair == null || kernel == null)
        {
            return SelfTestVerdict.Inconclusive(refusal.ErrorName);
        }

        using RecordEncryptor encryptor = new(keys.Create());
        byte[] genuine = SelfTestRecord.Short.Seal(encryptor)[0];
        byte[] forged = SelfTestRecord.Short.Seal(encryptor)[0];
        forged[fromEnd ? ^1 : encryptor.PrefixLength] ^= (byte)(1 << RandomNumberGenerator.GetInt32(8));
        KernelReader reader = way(kernel, pair.Ours);
        return FirstThatDidNotPass(
            () => SendWire(pair, [.. genuine, .. forged]), () => reader.Expect(SelfTestRecord.Short), reader.ExpectRefusal);
    }

    private static SelfTestVerdict SendWire(LoopbackPair pair, byte[] wire)
    {
        SyscallResult sent = SelfTestRecord.SendWire(pair.Peers, wire);
        return sent.Failed ? SelfTestVerdict.Inconclusive(sent.ErrorName) : SelfTestVerdict.Passed;
    }

    private static LoopbackPair? Prepare(
        SelfTestKeys keys, KernelDirection direction, Func<int, IKernelTls> open, out IKernelTls? kernel, out SyscallResult refusal)
    {
        kernel = null;
        LoopbackPair? pair = LoopbackPair.TryCreate(out refusal);
        if (pair == null)
        {
            return null;
        }

        IKernelTls opened = open(pair.Ours);
        refusal = opened.Attach();
        if (!refusal.Failed)
        {
            using DirectionKeys own = keys.Create();
            refusal = opened.Install(direction, own);
        }

        kernel = refusal.Failed ? null : opened;
        return pair;
    }

    private static SelfTestVerdict Send(IKernelTls kernel, SelfTestRecord record)
    {
        Patience patience = new();
        int sent = 0;
        while (sent < record.Content.Length)
        {
            SyscallResult result = record.IsData
                ? kernel.Send([new ArraySegment<byte>(record.Content, sent, record.Content.Length - sent)])
                : kernel.SendControl(record.Type, record.Content);
            if (result.WouldBlock && patience.Wait())
            {
                continue;
            }

            if (result.Failed)
            {
                return result.WouldBlock || result.OutOfResources
                    ? SelfTestVerdict.Inconclusive(result.ErrorName)
                    : SelfTestVerdict.Failed($"a record was not sent, {result.ErrorName}");
            }

            sent += result.Value;
        }

        return SelfTestVerdict.Passed;
    }
}
