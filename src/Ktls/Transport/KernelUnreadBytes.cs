using System.Security.Cryptography;
using Aead.Records;
using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>
/// A socket that receives by kTLS: what is thrown away is decrypted first, so it goes where data goes, into hidden pages or, TLS 1.3 only, into
/// memory the kernel copies verified bytes to. Once a record does not verify, nothing more can be taken from it.
/// </summary>
internal sealed class KernelUnreadBytes(IKernelTls kernel, int descriptor, EventLoop loop, bool hides, bool peerClosed) : IUnreadBytes
{
    private readonly TurnRead _read = new();
    private readonly WaitForFin _unreadable = new(descriptor, peerClosed);
    private bool _isUnreadable;

    public bool OnLoopOnly => true;

    public void OnPeerClosed() => _unreadable.OnPeerClosed();

    public SyscallResult Discard(int bytesMax)
    {
        if (_isUnreadable)
        {
            return _unreadable.Discard(bytesMax);
        }

        SyscallResult discarded = hides ? DiscardHidden() : DiscardVerified();
        if (discarded.ControlRecordWaits)
        {
            // Counted as a byte more than it has: 0 would be the end.
            discarded = kernel.ReceiveControl(stackalloc byte[ControlBytesMax], out _, out _);
            discarded = discarded.Failed ? discarded : SyscallResult.FromCompletion(discarded.Value + 1);
        }

        if (discarded.Failed && !discarded.WouldBlock)
        {
            _isUnreadable = true;
            return _unreadable.Discard(bytesMax);
        }

        return discarded;
    }

    private SyscallResult DiscardHidden()
    {
        HiddenReceive hidden = loop.Hidden!;
        hidden.Read(_read, descriptor);
        return hidden.Discard(_read);
    }

    private SyscallResult DiscardVerified()
    {
        Span<byte> room = loop.Scratch.Ciphertext;
        SyscallResult received = kernel.ReceiveVerified(room, out ContentType? type);
        if (!received.Failed)
        {
            CryptographicOperations.ZeroMemory(room[..received.Value]);
        }

        return received.MovedNothing && type != null ? SyscallResult.FromCompletion(1) : received;
    }

    private const int ControlBytesMax = 512;
}
