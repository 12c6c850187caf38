using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Aead.Keys;

/// <summary>
/// HKDF-Expand-Label with an empty context (RFC 8446 §7.1), which is all that traffic keys need.
/// </summary>
internal static class HkdfLabel
{
    /// <summary>
    /// Fills <paramref name="output"/> from <paramref name="secret"/> (as long as the hash).
    /// </summary>
    /// <param name="hash">The hash of the cipher suite.</param>
    /// <param name="secret">A traffic secret.</param>
    /// <param name="label">Without the "tls13 " in front; at most 12 ASCII bytes.</param>
    /// <param name="output">At most 255 times the length of the hash; must not overlap the secret.</param>
    public static void Expand(HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label,
        Span<byte> output)
    {
        // struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel;
        Span<byte> info = stackalloc byte[InfoLengthMax];
        ReadOnlySpan<byte> prefix = "tls13 "u8;
        BinaryPrimitives.WriteUInt16BigEndian(info, checked((ushort)output.Length));
        info[2] = (byte)(prefix.Length + label.Length);
        prefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + prefix.Length)..]);
        int contextStart = 3 + prefix.Length + label.Length;
        info[contextStart] = 0;
        HKDF.Expand(hash, secret, output, info[..(contextStart + 1)]);
    }

    // Two bytes of length, one of label length, six of "tls13 ", twelve of label, one of context length.
    private const int InfoLengthMax = 22;
}
