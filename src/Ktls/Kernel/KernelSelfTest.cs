using System.Security.Cryptography;
using Aead;
using Aead.Pages;
using Aead.Records;

namespace Ktls.Kernel;

/// <summary>
/// Puts the kernel's records beside ours, on the loopback: what it sends must open here, what is sealed here must open there, and a record
/// that was tampered with must not, nor leave a byte that could be read. Whatever keeps the test from being made is no verdict. Not
/// thread-safe.
/// </summary>
/// <param name="stage">Where the records that the kernel sends are decrypted.</param>
/// <param name="open">A socket as kTLS sees it.</param>
/// <param name="hidden">The ring and pages for hidden reads; null where there are none, and then TLS 1.2 is not received.</param>
internal sealed class KernelSelfTest(DecryptStage stage, Func<int, IKernelTls> open, HiddenTestPages? hidden)
{
    /// <summary>Tests one direction with one suite.</summary>
    public SelfTestVerdict Test(CipherSuite suite, KernelDirection direction)
    {
        if (direction == KernelDirection.Transmit)
        {
            return TestTransmit(suite);
        }

        List<Func<IKernelTls, int, IKernelReader>> ways = [];
        if (suite.Version == TlsVersion.Tls13)
        {
            ways.Add((kernel, _) => new VerifiedReader(kernel));
        }

        if (hidden is { } pages)
        {
            ways.Add((kernel, descriptor) => new HiddenReader(kernel, descriptor, pages));
        }

        SelfTestVerdict verdict = SelfTestVerdict.Passed;
        foreach (Func<IKernelTls, int, IKernelReader> way in ways)
        {
            verdict = FirstThatDidNotPass(
                verdict,
                () => TestReceive(suite, way),
                () => TestForgery(suite, way, fromEnd: false),
                () => TestForgery(suite, way, fromEnd: true));
        }

        return verdict;
    }

    private static SelfTestVerdict FirstThatDidNotPass(SelfTestVerdict verdict, params ReadOnlySpan<Func<SelfTestVerdict>> steps)
    {
        foreach (Func<SelfTestVerdict> step in steps)
        {
            if (verdict.Outcome != SelfTestOutcome.Passed)
            {
                return verdict;
            }

            verdict = step();
        }

        return verdict;
    }

    private SelfTestVerdict TestTransmit(CipherSuite suite)
    {
        SelfTestKeys keys = new(suite);
        using LoopbackPair? pair = Prepare(keys, KernelDirection.Transmit, out IKernelTls? kernel, out SyscallResult refusal);
        if (pair == null || kernel == null)
        {
            return SelfTestVerdict.Inconclusive(refusal.ErrorName);
        }

        using RecordOpener opener = new(keys, pair.Peers, stage);
        foreach (SelfTestRecord record in SelfTestRecord.Sequence)
        {
            if (Send(kernel, record) is { Outcome: not SelfTestOutcome.Passed } notSent)
            {
                return notSent;
            }

            if (opener.Expect(record) is { Outcome: not SelfTestOutcome.Passed } notOpened)
            {
                return notOpened;
            }
        }

        return SelfTestVerdict.Passed;
    }

    private SelfTestVerdict TestReceive(CipherSuite suite, Func<IKernelTls, int, IKernelReader> way)
    {
        SelfTestKeys keys = new(suite);
        using LoopbackPair? pair = Prepare(keys, KernelDirection.Receive, out IKernelTls? kernel, out SyscallResult refusal);
        if (pair == null || kernel == null)
        {
            return SelfTestVerdict.Inconclusive(refusal.ErrorName);
        }

        using RecordEncryptor encryptor = new(keys.Create());
        IKernelReader reader = way(kernel, pair.Ours);
        foreach (SelfTestRecord record in SelfTestRecord.Sequence)
        {
            foreach (byte[] sealedRecord in record.Seal(encryptor))
            {
                if (SelfTestRecord.SendWire(pair.Peers, sealedRecord) is { Failed: true } notSent)
                {
                    return SelfTestVerdict.Inconclusive(notSent.ErrorName);
                }
            }

            if (reader.Expect(record) is { Outcome: not SelfTestOutcome.Passed } notRead)
            {
                return notRead;
            }
        }

        return SelfTestVerdict.Passed;
    }

    // A genuine record and a forged one arrive together: that is when kernels have left the bytes of the second behind the first.
    private SelfTestVerdict TestForgery(CipherSuite suite, Func<IKernelTls, int, IKernelReader> way, bool fromEnd)
    {
        SelfTestKeys keys = new(suite);
        using LoopbackPair? pair = Prepare(keys, KernelDirection.Receive, out IKernelTls? kernel, out SyscallResult refusal);
        if (pair == null || kernel == null)
        {
            return SelfTestVerdict.Inconclusive(refusal.ErrorName);
        }

        using RecordEncryptor encryptor = new(keys.Create());
        byte[] genuine = SelfTestRecord.Short.Seal(encryptor)[0];
        byte[] forged = SelfTestRecord.Short.Seal(encryptor)[0];
        forged[fromEnd ? ^1 : encryptor.PrefixLength] ^= (byte)(1 << RandomNumberGenerator.GetInt32(8));
        if (SelfTestRecord.SendWire(pair.Peers, [.. genuine, .. forged]) is { Failed: true } notSent)
        {
            return SelfTestVerdict.Inconclusive(notSent.ErrorName);
        }

        IKernelReader reader = way(kernel, pair.Ours);
        return FirstThatDidNotPass(reader.Expect(SelfTestRecord.Short), reader.ExpectRefusal);
    }

    private LoopbackPair? Prepare(SelfTestKeys keys, KernelDirection direction, out IKernelTls? kernel, out SyscallResult refusal)
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
            using Aead.Keys.DirectionKeys own = keys.Create();
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
