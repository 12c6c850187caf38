using Aead.Records;

namespace Ktls.Kernel;

/// <summary>One way to read what the kernel has decrypted, as the self-test uses it.</summary>
internal abstract class KernelReader
{
    /// <summary>What is read next must be exactly this, and nothing may be written behind it.</summary>
    public SelfTestVerdict Expect(SelfTestRecord expected)
    {
        Patience patience = new();
        int matched = 0;
        while (matched < expected.Content.Length)
        {
            SyscallResult read = Read(out ReadOnlySpan<byte> content, out ContentType type);
            if (IsNotYet(read) && patience.Wait())
            {
                continue;
            }

            if (read.Failed)
            {
                return Judge(read, "a genuine record was refused");
            }

            if (content.Length > expected.Content.Length - matched)
            {
                return SelfTestVerdict.Forged($"{content.Length - expected.Content.Length + matched} bytes were read that nobody sent");
            }

            if (content.IsEmpty || type != expected.Type || !expected.Content.AsSpan(matched).StartsWith(content))
            {
                return SelfTestVerdict.Failed("a genuine record was read as something else");
            }

            matched += content.Length;
            if (LeftBehind(content.Length) is > 0 and int bytes)
            {
                return SelfTestVerdict.Failed($"{bytes} bytes were written behind a genuine record and could be read");
            }
        }

        return SelfTestVerdict.Passed;
    }

    /// <summary>The next record was tampered with: it must be refused, again and again, and leave nothing that can be read.</summary>
    public SelfTestVerdict ExpectRefusal()
    {
        Patience patience = new();
        for (int refusals = 0; refusals < 2;)
        {
            SyscallResult read = Read(out ReadOnlySpan<byte> content, out _);
            if (IsNotYet(read) && patience.Wait())
            {
                continue;
            }

            if (!read.Failed && content.IsEmpty)
            {
                return SelfTestVerdict.Failed("the stream ended where a record that was tampered with had to be refused");
            }

            if (!read.Failed)
            {
                return SelfTestVerdict.Forged($"a record that was tampered with was accepted, {content.Length} bytes of it");
            }

            if (!read.BadRecord)
            {
                return Judge(read, "a record that was tampered with is no bad record to it");
            }

            refusals++;
            if (LeftBehind(0) is > 0 and int bytes)
            {
                return SelfTestVerdict.Failed($"{bytes} bytes of a record that was tampered with could be read");
            }
        }

        return SelfTestVerdict.Passed;
    }

    /// <summary>One read, data or control.</summary>
    protected abstract SyscallResult Read(out ReadOnlySpan<byte> content, out ContentType type);

    /// <summary>Bytes that can be read although the last read did not return them.</summary>
    /// <param name="returned">Bytes it did return.</param>
    protected abstract int LeftBehind(int returned);

    private static bool IsNotYet(SyscallResult read) => read.WouldBlock || read.Canceled;

    private static SelfTestVerdict Judge(SyscallResult read, string fault) =>
        IsNotYet(read) ? SelfTestVerdict.Inconclusive(SyscallResult.TimedOut.ErrorName)
        : read.OutOfResources ? SelfTestVerdict.Inconclusive(read.ErrorName)
        : SelfTestVerdict.Failed($"{fault}, {read.ErrorName}");
}

/// <summary>TLS 1.3: copies of what the kernel has verified. Nothing else may reach the room they are copied to.</summary>
internal sealed class VerifiedReader(IKernelTls kernel) : KernelReader
{
    private readonly byte[] _room = new byte[2 * RecordHeader.PlaintextLengthMax];

    protected override SyscallResult Read(out ReadOnlySpan<byte> content, out ContentType type)
    {
        Array.Fill(_room, Untouched);
        SyscallResult read = kernel.ReceiveVerified(_room, out ContentType? named);
        content = read.Failed ? default : _room.AsSpan(0, read.Value);
        type = named ?? ContentType.ApplicationData;
        return read;
    }

    protected override int LeftBehind(int returned) => _room.AsSpan(returned).Length - _room.AsSpan(returned).Count(Untouched);

    private const byte Untouched = 0xEE;
}

/// <summary>
/// Hidden reads. The kernel may leave anything behind what it returns, because the loops zero that before they expose a page; so it is the
/// zeroing that must leave nothing.
/// </summary>
internal sealed class HiddenReader(IKernelTls kernel, int descriptor, HiddenTestPages hidden) : KernelReader
{
    private readonly byte[] _control = new byte[RecordHeader.PlaintextLengthMax];
    private bool _wasControl;

    protected override SyscallResult Read(out ReadOnlySpan<byte> content, out ContentType type)
    {
        hidden.Pages.Fill(0xEE);
        HiddenRead read = new() { Descriptor = descriptor, Address = hidden.Address, Length = hidden.Pages.Length };
        hidden.Ring.Submit(new Span<HiddenRead>(ref read));
        _wasControl = read.Result.ControlRecordWaits;
        if (_wasControl)
        {
            SyscallResult taken = kernel.ReceiveControl(_control, out ContentType? named, out _);
            content = taken.Failed ? default : _control.AsSpan(0, taken.Value);
            type = named ?? ContentType.ApplicationData;
            return taken;
        }

        content = read.Result.Failed ? default : hidden.Pages[..read.Result.Value];
        type = ContentType.ApplicationData;
        return read.Result;
    }

    protected override int LeftBehind(int returned)
    {
        int start = _wasControl ? 0 : returned;
        if (start == hidden.Pages.Length)
        {
            return 0;
        }

        hidden.Ring.Zero(hidden.Address + start, hidden.Pages.Length - start);
        return hidden.Pages.Length - start - hidden.Pages[start..].Count((byte)0);
    }
}
