using System.Buffers.Binary;

namespace Ktls.Tests.Handshake;

/// <summary>A ClientHello written by hand, one field at a time.</summary>
internal sealed record ClientHelloBytes
{
    public ushort Version { get; init; } = 0x0303;

    public ushort[] Suites { get; init; } = [0x1301, 0xC02B, 0x00FF];

    public byte[] Compression { get; init; } = [0];

    public ushort[] Versions { get; init; } = [];

    public ushort[] Groups { get; init; } = [0x001D];

    public (ushort Group, byte[] Share)[] Shares { get; init; } = [];

    public ushort[] Schemes { get; init; } = [0x0403, 0x0804, 0x0401];

    public byte[]? HostName { get; init; }

    public (ushort Type, byte[] Data)[] Others { get; init; } = [];

    /// <summary>The handshake message.</summary>
    public byte[] ToMessage()
    {
        byte[] extensions =
        [
            .. Versions.Length == 0 ? [] : Extension(43, [(byte)(2 * Versions.Length), .. Words(Versions)]),
            .. Groups.Length == 0 ? [] : Extension(10, Vector(Words(Groups))),
            .. Schemes.Length == 0 ? [] : Extension(13, Vector(Words(Schemes))),
            .. Shares.Length == 0 && Versions.Length == 0 ? [] : Extension(51,
                Vector([.. Shares.SelectMany(share => Words(share.Group).Concat(Vector(share.Share)))])),
            .. HostName is null ? [] : Extension(0, Vector([0, .. Vector(HostName)])),
            .. Others.SelectMany(other => Extension(other.Type, other.Data)),
        ];
        byte[] body =
        [
            .. Words(Version), .. new byte[32], 0, .. Vector(Words(Suites)),
            (byte)Compression.Length, .. Compression, .. Vector(extensions),
        ];
        return [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    /// <summary>In one record.</summary>
    public byte[] ToRecord() => Wire.Record(22, ToMessage());

    private static byte[] Extension(ushort type, byte[] data) => [.. Words(type), .. Vector(data)];

    private static byte[] Vector(byte[] data) => [.. Words((ushort)data.Length), .. data];

    private static byte[] Words(params ushort[] values)
    {
        byte[] bytes = new byte[2 * values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2 * i), values[i]);
        }

        return bytes;
    }
}
