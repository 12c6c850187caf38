using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using static Tmds.Linux.LibC;

namespace Kernel.Tests;

/// <summary>
/// Two ends of a loopback connection, talked to in the kernel's own words: what the kernel answers is checked without the product's code
/// in between. Source: include/uapi/linux/tls.h.
/// </summary>
internal sealed unsafe class KernelTlsPair : IDisposable
{
    public const int Transmit = 1;
    public const int Receive = 2;
    public const ushort Tls12 = 0x0303;
    public const ushort Tls13 = 0x0304;

    public KernelTlsPair()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Sender = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Sender.Connect(listener.LocalEndPoint!);
        Receiver = listener.Accept();
    }

    public Socket Sender { get; }

    public Socket Receiver { get; }

    /// <summary>Hands the socket's record layer to the kernel, which still has no key. Returns 0 or the errno.</summary>
    public static int AttachTls(Socket socket)
    {
        ReadOnlySpan<byte> name = "tls\0"u8;
        return SetOption(socket, IPPROTO_TCP, TCP_ULP, name);
    }

    /// <summary>Gives the kernel an AES-128-GCM key of 16 times <paramref name="keyByte"/>, at record 0. Returns 0 or the errno.</summary>
    public static int InstallKey(Socket socket, int direction, ushort version, byte keyByte)
    {
        // struct tls12_crypto_info_aes_gcm_128: version, cipher, iv[8], key[16], salt[4], rec_seq[8].
        Span<byte> info = stackalloc byte[40];
        info.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(info, version);
        BinaryPrimitives.WriteUInt16LittleEndian(info[2..], Aes128Gcm);
        info.Slice(12, 16).Fill(keyByte);
        return SetOption(socket, SOL_TLS, direction, info);
    }

    public void Dispose()
    {
        Sender.Dispose();
        Receiver.Dispose();
    }

    // Not Socket.SetRawSocketOption: it reports many errnos under one name.
    private static int SetOption(Socket socket, int level, int option, ReadOnlySpan<byte> value)
    {
        fixed (byte* p = value)
        {
            return setsockopt((int)socket.Handle, level, option, p, value.Length) == 0 ? 0 : errno;
        }
    }

    private const ushort Aes128Gcm = 51;
}
