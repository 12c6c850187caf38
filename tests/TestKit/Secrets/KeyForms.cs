using System.Security.Cryptography;
using System.Text;

namespace TestKit.Secrets;

/// <summary>The forms in which a certificate's private key may lie in memory.</summary>
public static class KeyForms
{
    /// <summary>Seeks every form of the key in a PEM file (PKCS#8).</summary>
    public static void AddTo<T>(SecretSearch<T> search, string file, Func<string, T> name)
    {
        string pem = File.ReadAllText(file);
        foreach ((string part, byte[] number) in PrivateNumbers(pem))
        {
            T sought = name(part);
            search.Add(sought, "big-endian", number); // also what PKCS#8, PKCS#1 and SEC 1 hold, and .NET's parameters
            search.Add(sought, "little-endian", [.. number.Reverse()]); // OpenSSL's and .NET's limbs
            search.Add(sought, "int[]", [.. number.Chunk(sizeof(uint)).SelectMany(word => word.Reverse())]); // BouncyCastle's BigInteger
            search.Add(sought, "hex", Encoding.ASCII.GetBytes(Convert.ToHexString(number)), TextPiece);
        }

        T text = name("PEM");
        foreach (string line in PrivateLines(pem))
        {
            search.Add(text, "text", Encoding.ASCII.GetBytes(line), TextPiece);
            search.Add(text, "UTF-16", Encoding.Unicode.GetBytes(line), 2 * TextPiece);
        }
    }

    /// <summary>What nobody but the owner knows: d, or p, q, d, dp, dq, qinv.</summary>
    public static IReadOnlyList<(string Name, byte[] Number)> PrivateNumbers(string pem)
    {
        using RSA rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(pem);
            RSAParameters key = rsa.ExportParameters(includePrivateParameters: true);
            return [("d", key.D!), ("p", key.P!), ("q", key.Q!), ("dp", key.DP!), ("dq", key.DQ!), ("qinv", key.InverseQ!)];
        }
        catch (CryptographicException)
        {
            using ECDsa ecdsa = ECDsa.Create();
            ecdsa.ImportFromPem(pem);
            return [("d", ecdsa.ExportParameters(includePrivateParameters: true).D!)];
        }
    }

    // Base64 lines without what everybody knows: the structure in front, and the public key, which is the end of an EC key and the front of an
    // RSA key. Three characters are shorter than any piece, so it does not matter where exactly the cut is.
    private static IEnumerable<string> PrivateLines(string pem)
    {
        byte[] der = Convert.FromBase64String(string.Concat(pem.Split('\n').Where(line => !line.StartsWith("-----", StringComparison.Ordinal))));
        List<(int Start, int End)> secret =
            [.. PrivateNumbers(pem).Select(n => der.AsSpan().IndexOf(n.Number) is var at && at >= 0 ? (at, at + n.Number.Length) : (0, 0))];
        int first = secret.Where(s => s.End > 0).Min(s => s.Start);
        int last = secret.Max(s => s.End);
        int firstCharacter = ((first + 2) / 3) * 4;
        int lastCharacter = last / 3 * 4;
        string[] lines = [.. pem.Split('\n').Where(line => line.Length > 0 && !line.StartsWith("-----", StringComparison.Ordinal))];
        int at = 0;
        foreach (string line in lines)
        {
            int from = Math.Clamp(firstCharacter - at, 0, line.Length);
            int to = Math.Clamp(lastCharacter - at, 0, line.Length);
            if (to - from >= TextPiece)
            {
                yield return line[from..to];
            }

            at += line.Length;
        }
    }

    // Characters of a piece of text: base64 has six bits each.
    private const int TextPiece = 16;
}
