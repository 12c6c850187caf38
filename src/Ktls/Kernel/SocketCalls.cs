using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Ktls.Kernel;

/// <summary>
/// The socket calls of the transport. Every descriptor is non-blocking and close-on-exec; EINTR is retried here.
/// Source: socket(7), tcp(7).
/// </summary>
internal static unsafe class SocketCalls
{
    /// <summary>
    /// A listening socket, not shared with another process on purpose: a taken port is an error. For what is accepted from it Nagle's algorithm
    /// is off and keep-alive on.
    /// </summary>
    public static SyscallResult Listen(IPEndPoint address, int backlog)
    {
        sockaddr_storage storage = default;
        socklen_t length = Write(address, &storage);
        bool v6 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        SyscallResult created = SyscallResult.From(socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (created.Failed)
        {
            return created;
        }

        SetOption(created.Value, SOL_SOCKET, SO_REUSEADDR, 1);

        // Accepted sockets inherit them (tcp_create_openreq_child in net/ipv4/tcp_minisocks.c), which spares three calls for each.
        SetOption(created.Value, IPPROTO_TCP, TCP_NODELAY, 1);
        SetOption(created.Value, SOL_SOCKET, SO_KEEPALIVE, 1);
        SetOption(created.Value, IPPROTO_TCP, TCP_KEEPIDLE, KeepAliveIdleSeconds);
        if (v6)
        {
            SetOption(created.Value, IPPROTO_IPV6, IPV6_V6ONLY, address.Address.Equals(IPAddress.IPv6Any) ? 0 : 1);
        }

        SyscallResult bound = SyscallResult.From(bind(created.Value, (sockaddr*)&storage, length));
        SyscallResult listening = bound.Failed ? bound : SyscallResult.From(listen(created.Value, backlog));
        if (listening.Failed)
        {
            Close(created.Value);
            return listening;
        }

        return created;
    }

    /// <summary>The next connection of a listening socket.</summary>
    public static SyscallResult Accept(int listener, out IPEndPoint? peer)
    {
        sockaddr_storage storage = default;
        SyscallResult accepted;
        do
        {
            socklen_t length = sizeof(sockaddr_storage);
            accepted = SyscallResult.From(accept4(listener, (sockaddr*)&storage, &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
        }
        while (accepted.Interrupted);

        peer = accepted.Failed ? null : Read(&storage);
        return accepted;
    }

    /// <summary>A socket that connects, with Nagle's algorithm off; the connection may still be under way.</summary>
    public static SyscallResult Connect(IPEndPoint address)
    {
        sockaddr_storage storage = default;
        socklen_t length = Write(address, &storage);
        SyscallResult created = SyscallResult.From(socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!created.Failed && connect(created.Value, (sockaddr*)&storage, length) != 0 && errno != EINPROGRESS)
        {
            SyscallResult refused = SyscallResult.From(-1);
            Close(created.Value);
            return refused;
        }

        if (!created.Failed)
        {
            SetOption(created.Value, IPPROTO_TCP, TCP_NODELAY, 1);
        }

        return created;
    }

    /// <summary>Takes what is wrong with the socket, or how its attempt to connect ended (SO_ERROR).</summary>
    public static SyscallResult TakeError(int descriptor)
    {
        int error = 0;
        socklen_t length = sizeof(int);
        SyscallResult asked = SyscallResult.From(getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length));
        return asked.Failed ? asked : SyscallResult.FromError(error);
    }

    /// <summary>The address a socket is bound to.</summary>
    public static IPEndPoint LocalAddress(int descriptor)
    {
        sockaddr_storage storage = default;
        socklen_t length = sizeof(sockaddr_storage);
        return getsockname(descriptor, (sockaddr*)&storage, &length) == 0 ? Read(&storage) : new IPEndPoint(IPAddress.None, 0);
    }

    /// <summary>Reads what is there, up to the buffer's length; 0 is the end of the stream.</summary>
    public static SyscallResult Receive(int descriptor, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            SyscallResult received;
            do
            {
                received = SyscallResult.From(recv(descriptor, p, buffer.Length, MSG_DONTWAIT));
            }
            while (received.Interrupted);
            return received;
        }
    }

    /// <summary>Throws away what is there without copying it (MSG_TRUNC on TCP); 0 is the end of the stream.</summary>
    public static SyscallResult Discard(int descriptor, int bytesMax)
    {
        SyscallResult discarded;
        do
        {
            discarded = SyscallResult.From(recv(descriptor, null, bytesMax, MSG_DONTWAIT | MSG_TRUNC));
        }
        while (discarded.Interrupted);
        return discarded;
    }

    /// <summary>Sends the pieces in order with one call; may send less than all.</summary>
    /// <param name="descriptor">The socket.</param>
    /// <param name="pieces">At most <see cref="PiecesMax"/>, each in an array allocated pinned.</param>
    public static SyscallResult Send(int descriptor, ReadOnlySpan<ArraySegment<byte>> pieces)
    {
        iovec* vectors = stackalloc iovec[PiecesMax];
        int count = Math.Min(pieces.Length, PiecesMax);
        for (int i = 0; i < count; i++)
        {
            ref byte start = ref MemoryMarshal.GetArrayDataReference(pieces[i].Array!);
            vectors[i].iov_base = (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref start) + pieces[i].Offset;
            vectors[i].iov_len = pieces[i].Count;
        }

        msghdr message = default;
        message.msg_iov = vectors;
        message.msg_iovlen = count;
        SyscallResult sent;
        do
        {
            sent = count == 1
                ? SyscallResult.From(send(descriptor, vectors[0].iov_base, vectors[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL))
                : SyscallResult.From(sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
        }
        while (sent.Interrupted);
        return sent;
    }

    /// <summary>Sends what fits of the bytes.</summary>
    public static SyscallResult Send(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
        {
            SyscallResult sent;
            do
            {
                sent = SyscallResult.From(send(descriptor, p, bytes.Length, MSG_DONTWAIT | MSG_NOSIGNAL));
            }
            while (sent.Interrupted);
            return sent;
        }
    }

    /// <summary>
    /// Bytes sent that the peer has not acknowledged (SIOCOUTQ, tcp(7)); a FIN counts as one. 0 once the connection is no more: the kernel
    /// goes on counting what a reset threw away.
    /// </summary>
    public static int UnacknowledgedBytes(int descriptor)
    {
        int bytes = 0;
        return ioctl(descriptor, TIOCOUTQ, &bytes) == 0 && bytes > 0 && !IsClosed(descriptor) ? bytes : 0;
    }

    private static bool IsClosed(int descriptor)
    {
        // tcpi_state, the first byte of struct tcp_info.
        byte state = 0;
        socklen_t length = sizeof(byte);
        return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &state, &length) == 0 && state == TcpClose;
    }

    /// <summary>Bytes the peer has acknowledged since the connection began (TCP_INFO, tcp(7)).</summary>
    public static long AcknowledgedBytes(int descriptor)
    {
        long* info = stackalloc long[TcpInfoCount];
        new Span<long>(info, TcpInfoCount).Clear();
        socklen_t length = TcpInfoCount * sizeof(long);
        return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, info, &length) == 0 ? info[TcpInfoBytesAcknowledged] : 0;
    }

    /// <summary>
    /// At least half of the send buffer is free (SO_MEMINFO, in the kernel's own accounting of what its buffers cost it). False where the
    /// kernel does not tell.
    /// </summary>
    public static bool HasSendRoom(int descriptor)
    {
        uint* memory = stackalloc uint[MemoryInfoCount];
        socklen_t length = MemoryInfoCount * sizeof(uint);
        return getsockopt(descriptor, SOL_SOCKET, MemoryInfo, memory, &length) == 0
            && (long)memory[MemoryInfoQueued] * 2 < memory[MemoryInfoSendBuffer];
    }

    /// <summary>Sends our FIN; the other direction stays open.</summary>
    public static void ShutdownWrite(int descriptor) => _ = shutdown(descriptor, SHUT_WR);

    /// <summary>Closes without waiting.</summary>
    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>Closes with a reset, so that the peer cannot take what it got for complete.</summary>
    public static void Reset(int descriptor)
    {
        linger now = new() { l_onoff = 1, l_linger = 0 };
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof(linger));
        Close(descriptor);
    }

    private static void SetOption(int descriptor, int level, int option, int value) =>
        _ = setsockopt(descriptor, level, option, &value, sizeof(int));

    private static socklen_t Write(IPEndPoint address, sockaddr_storage* storage)
    {
        Span<byte> bytes = new(storage, sizeof(sockaddr_storage));
        if (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6)
        {
            MemoryMarshal.Write(bytes, (ushort)AF_INET6);
            BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)address.Port);
            _ = address.Address.TryWriteBytes(bytes[8..], out _);
            MemoryMarshal.Write(bytes[24..], (uint)address.Address.ScopeId);
            return sizeof(sockaddr_in6);
        }

        MemoryMarshal.Write(bytes, (ushort)AF_INET);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)address.Port);
        _ = address.Address.TryWriteBytes(bytes[4..], out _);
        return sizeof(sockaddr_in);
    }

    private static IPEndPoint Read(sockaddr_storage* storage)
    {
        ReadOnlySpan<byte> bytes = new(storage, sizeof(sockaddr_storage));
        int port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if (MemoryMarshal.Read<ushort>(bytes) != AF_INET6)
        {
            return new IPEndPoint(new IPAddress(bytes.Slice(4, 4)), port);
        }

        // A dual-stack socket reports IPv4 peers as mapped addresses; backends and logs expect the plain form.
        IPAddress v6 = new(bytes.Slice(8, 16), MemoryMarshal.Read<uint>(bytes[24..]));
        return new IPEndPoint(v6.IsIPv4MappedToIPv6 ? v6.MapToIPv4() : v6, port);
    }

    /// <summary>Pieces one send takes: four full blocks and the control records between them.</summary>
    public const int PiecesMax = 16;

    // include/uapi/asm-generic/socket.h: SO_MEMINFO (Linux 4.12).
    private const int MemoryInfo = 55;

    // include/uapi/linux/tcp.h: struct tcp_info up to and with tcpi_bytes_acked (Linux 4.1), in units of 8 bytes.
    private const int TcpInfoBytesAcknowledged = 15;
    private const int TcpInfoCount = TcpInfoBytesAcknowledged + 1;

    // include/net/tcp_states.h: TCP_CLOSE.
    private const byte TcpClose = 7;

    // include/uapi/linux/sock_diag.h: SK_MEMINFO_VARS, SK_MEMINFO_WMEM_QUEUED, SK_MEMINFO_SNDBUF.
    private const int MemoryInfoCount = 9;
    private const int MemoryInfoQueued = 5;
    private const int MemoryInfoSendBuffer = 3;

    // A peer that vanished without a FIN is found after this idle time plus the kernel's probes (75 s each).
    private const int KeepAliveIdleSeconds = 120;
}
