using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Ktls.Handshake;

/// <summary>
/// Host names as RFC 6066 §3 and certificates carry them: ASCII labels, compared in lower case.
/// </summary>
internal static class ServerName
{
    /// <summary>
    /// The name in lower case without a final dot; false when it is no host name (empty label, foreign
    /// character, too long).
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> hostName, [NotNullWhen(true)] out string? name)
    {
        name = null;
        if (hostName is [.., (byte)'.'])
        {
            hostName = hostName[..^1];
        }

        if (hostName.IsEmpty || hostName.Length > LengthMax)
        {
            return false;
        }

        byte previous = (byte)'.';
        foreach (byte character in hostName)
        {
            bool isEmptyLabel = character == '.' && previous == '.';
            bool isLegal = char.IsAsciiLetterOrDigit((char)character)
                || character is (byte)'.' or (byte)'-' or (byte)'_';
            if (isEmptyLabel || !isLegal)
            {
                return false;
            }

            previous = character;
        }

        name = Encoding.ASCII.GetString(hostName).ToLowerInvariant();
        return previous != '.';
    }

    /// <summary>As <see cref="TryRead"/>, for configuration: one leading <c>*.</c> is allowed.</summary>
    public static bool TryReadPattern(string text, [NotNullWhen(true)] out string? pattern)
    {
        bool isWildcard = text.StartsWith("*.", StringComparison.Ordinal);
        pattern = null;
        byte[] hostName = Encoding.ASCII.GetBytes(isWildcard ? text[2..] : text);
        if (!Ascii.IsValid(text) || !TryRead(hostName, out string? name))
        {
            return false;
        }

        pattern = isWildcard ? "*." + name : name;
        return true;
    }

    /// <summary>
    /// The pattern whose <c>*</c> stands for the first label of <paramref name="name"/>, or null.
    /// </summary>
    public static string? ToWildcard(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? null : "*" + name[dot..];
    }

    /// <summary>Bytes of a domain name (RFC 1035 §2.3.4).</summary>
    public const int LengthMax = 255;
}
