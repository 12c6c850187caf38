using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Aead;
using Aead.Keys;
using Aead.Records;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Ktls.Kernel;

/// <summary>
/// kTLS on one connected, non-blocking TCP socket, which stays its owner's: this only calls. One instance per socket, for it remembers
/// which keys it installed. EINTR is retried here. Source: net/tls/tls_main.c, net/tls/tls_sw.c.
/// </summary>
internal sealed unsafe class KernelTlsSocket(int descriptor) : IKernelTls
{
    private CryptoInfoLayout? _transmitLayout;
    private CryptoInfoLayout? _receiveLayout;
    private TlsVersion? _receiveVersion;

    public SyscallResult Attach()
    {
        fixed (byte* name = TlsUapi.UpperLayerProtocol)
        {
            return SyscallResult.From(setsockopt(descriptor, SOL_TCP, TCP_ULP, name, TlsUapi.UpperLayerProtocol.Length));
        }
    }

    public SyscallResult Install(KernelDirection direction, DirectionKeys keys)
    {
        CryptoInfoLayout layout = CryptoInfoLayout.Of(keys.Suite.Aead);
        Span<byte> info = stackalloc byte[layout.Size];
        SyscallResult installed;
        try
        {
            layout.Write(info, keys);
            fixed (byte* start = info)
            {
                installed = SyscallResult.From(setsockopt(descriptor, SOL_TLS, OptionOf(direction), start, info.Length));
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(info);
        }

        if (!installed.Failed)
        {
            Remember(direction, layout, keys.Suite.Version);
        }

        return installed;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">This instance has installed no keys for the direction.</exception>
    public SyscallResult ReadSequenceNumber(KernelDirection direction, out ulong number)
    {
        CryptoInfoLayout layout = (direction == KernelDirection.Transmit ? _transmitLayout : _receiveLayout)
            ?? throw new InvalidOperationException($"{direction} has no keys.");
        Span<byte> info = stackalloc byte[layout.Size];
        try
        {
            SyscallResult read;
            fixed (byte* start = info)
            {
                socklen_t length = layout.Size;
                read = SyscallResult.From(getsockopt(descriptor, SOL_TLS, OptionOf(direction), start, &length));
            }

            number = read.Failed ? 0 : layout.ReadSequenceNumber(info);
            return read;
        }
        finally
        {
            // The kernel tells the number together with the key.
            CryptographicOperations.ZeroMemory(info);
        }
    }

    public SyscallResult ReceiveVerified(Span<byte> room, out ContentType? type)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(room.Length, RecordHeader.PlaintextLengthMax, nameof(room));
        if (_receiveVersion != TlsVersion.Tls13)
        {
            throw new InvalidOperationException("Only with keys of TLS 1.3 does the kernel verify a record before it writes it.");
        }

        return Receive(room, 0, out type, out _);
    }

    public SyscallResult ReceiveControl(Span<byte> fragment, out ContentType? type, out bool whole)
    {
        // A caller that is wrong about what waits would have TLS 1.2 data decrypted into its buffer before the tag is checked. Looking
        // first costs a call per control record and makes that impossible: a peek is always decrypted in the kernel's own memory, and what
        // it decrypted there is what the next read gets.
        if (_receiveVersion != TlsVersion.Tls13)
        {
            SyscallResult peeked = Receive(fragment[..Math.Min(fragment.Length, 1)], MSG_PEEK, out type, out whole);
            if (peeked.Failed)
            {
                return peeked;
            }

            if (type == ContentType.ApplicationData)
            {
                fragment[..peeked.Value].Clear();
                throw new InvalidOperationException("Application data waits where a control record was expected.");
            }
        }

        return Receive(fragment, 0, out type, out whole);
    }

    public SyscallResult Send(ReadOnlySpan<ArraySegment<byte>> pieces) => SocketCalls.Send(descriptor, pieces);

    public SyscallResult SendControl(ContentType type, ReadOnlySpan<byte> fragment)
    {
        // The kernel makes no record of nothing, and more than one of more than fits.
        ArgumentOutOfRangeException.ThrowIfZero(fragment.Length, nameof(fragment));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fragment.Length, RecordHeader.PlaintextLengthMax, nameof(fragment));
        ulong* control = stackalloc ulong[ControlWords];
        fixed (byte* start = fragment)
        {
            iovec vector = new() { iov_base = start, iov_len = fragment.Length };
            msghdr message = MessageOf(&vector, control);
            message.msg_controllen = CMSG_SPACE(sizeof(ContentType));
            cmsghdr* header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = SOL_TLS;
            header->cmsg_type = TlsUapi.SetRecordType;
            header->cmsg_len = CMSG_LEN(sizeof(ContentType));
            *CMSG_DATA(header) = (byte)type;
            SyscallResult sent;
            do
            {
                sent = SyscallResult.From(sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
            }
            while (sent.Interrupted);
            return sent;
        }
    }

    /// <summary>Sends application data from a file; it never enters this process. May send less than all. Source: sendfile(2).</summary>
    /// <param name="file">A descriptor that can be mapped, opened for reading.</param>
    /// <param name="offset">Where in the file; moves on by what was sent.</param>
    /// <param name="count">Bytes at most.</param>
    public SyscallResult SendFile(int file, ref long offset, int count)
    {
        long position = offset;
        SyscallResult sent;
        do
        {
            sent = SyscallResult.From((long)syscall(SendFileNumber, descriptor, file, &position, count));
        }
        while (sent.Interrupted);
        offset = position;
        return sent;
    }

    public SyscallResult TakeError() => SocketCalls.TakeError(descriptor);

    private SyscallResult Receive(Span<byte> room, int flags, out ContentType? type, out bool whole)
    {
        ulong* control = stackalloc ulong[ControlWords];
        fixed (byte* start = room)
        {
            iovec vector = new() { iov_base = start, iov_len = room.Length };
            msghdr message;
            SyscallResult received;
            do
            {
                message = MessageOf(&vector, control);
                received = SyscallResult.From(recvmsg(descriptor, &message, MSG_DONTWAIT | flags));
            }
            while (received.Interrupted);
            type = received.Failed ? null : TypeOf(&message);
            whole = !received.Failed && (message.msg_flags & MSG_EOR) != 0;
            return received;
        }
    }

    private static msghdr MessageOf(iovec* vector, ulong* control) => new()
    {
        msg_iov = vector,
        msg_iovlen = 1,
        msg_control = control,
        msg_controllen = ControlWords * sizeof(ulong),
    };

    private static ContentType? TypeOf(msghdr* message)
    {
        cmsghdr* header = CMSG_FIRSTHDR(message);
        return header != null && header->cmsg_level == SOL_TLS && header->cmsg_type == TlsUapi.GetRecordType
            ? (ContentType)(*CMSG_DATA(header))
            : null;
    }

    private void Remember(KernelDirection direction, CryptoInfoLayout layout, TlsVersion version)
    {
        if (direction == KernelDirection.Transmit)
        {
            _transmitLayout = layout;
            return;
        }

        _receiveLayout = layout;
        _receiveVersion = version;
    }

    private static int OptionOf(KernelDirection direction) =>
        direction == KernelDirection.Transmit ? TlsUapi.TransmitKeys : TlsUapi.ReceiveKeys;

    // Tmds.LibC does not declare sendfile; its syscall() takes the number, which differs by architecture.
    private static int SendFileNumber => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 40,   // arch/x86/entry/syscalls/syscall_64.tbl
        Architecture.Arm64 => 71, // include/uapi/asm-generic/unistd.h
        _ => -1,                  // ENOSYS
    };

    // CMSG_SPACE(1), a struct cmsghdr and one byte, padded: 24 bytes on 64-bit machines. In words, because it must be aligned like one.
    private const int ControlWords = 3;
}
