using System.Net;
using System.Net.Sockets;
using TestKit;
using TlsProxy.Config;

namespace TlsProxy.Tests.Config;

public sealed class ListenAddressProperties
{
    [Cases(2_000)]
    public bool EveryIPv4EndPointIsReadBack(uint address, ushort port) => IsReadBack(new IPEndPoint(address, port));

    [Cases(2_000)]
    public bool EveryIPv6EndPointIsReadBack(ulong high, ulong low, ushort port)
    {
        byte[] bytes = [.. BitConverter.GetBytes(high), .. BitConverter.GetBytes(low)];
        return IsReadBack(new IPEndPoint(new IPAddress(bytes), port));
    }

    [Cases(2_000)]
    public bool AnyTextIsReadOrExplained(string? text)
    {
        IPEndPoint? endPoint = ListenAddress.Parse(text ?? "", out string reason);
        return endPoint is null ? reason.Length > 0 : endPoint.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;
    }

    private static bool IsReadBack(IPEndPoint endPoint) => endPoint.Equals(ListenAddress.Parse(endPoint.ToString(), out _));
}
