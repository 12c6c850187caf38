using System.Text;
using TestKit.Secrets;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.Secrets;

/// <summary>What of keys and plaintext does the proxy write down, asked to write everything?</summary>
[Collection(BusyProxyDefinition.Name)]
[Trait("Claim", "C5")]
public sealed class SecretsInLogsTests(BusyProxy busy)
{
    [Fact]
    public void ALogAtLevelTraceHoldsNoSecretAndNoPlaintext()
    {
        Assert.Contains("trce: ", busy.Log, StringComparison.Ordinal);
        Assert.Contains("/marked", busy.Log, StringComparison.Ordinal);
        Assert.Equal([], Found(busy.Log));
    }

    [Fact]
    public void SslKeyLogFileHasNoEffect() => Assert.False(File.Exists(busy.KeyLogFile));

    /// <summary>In every way of writing bytes that a log could have.</summary>
    [Fact]
    public void ASecretInALogIsFound()
    {
        byte[] secret = busy.All.First(a => a.Sought.Kind == nameof(SecretKind.Secret)).Bytes;
        string hex = Convert.ToHexString(secret);
        foreach (string written in new[]
        {
            hex, hex.ToLowerInvariant(), BitConverter.ToString(secret), string.Join(':', secret.Select(b => $"{b:x2}")),
            string.Join(", ", secret.Select(b => $"0x{b:X2}")), string.Join(' ', secret.Select(b => $"{b:X2}")),
            string.Join(',', secret), Convert.ToBase64String(secret), Convert.ToBase64String([1, .. secret]), Convert.ToBase64String([1, 2, .. secret]),
        })
        {
            Assert.NotEmpty(Found($"2026-01-01T00:00:00.000Z trce: TlsProxy[1] {written} and so on"));
        }

        (Sought header, byte[] mark) = busy.All.First(a => a.Sought is { Kind: BusyProxy.Plaintext, Name: "request header" });
        Assert.Contains(header.Name, string.Join('\n', Found($"X-Mark: {Encoding.ASCII.GetString(mark)}")), StringComparison.Ordinal);
    }

    private SortedSet<string> Found(string log)
    {
        SecretSearch<string> search = new();
        foreach ((Sought sought, byte[] bytes) in busy.All)
        {
            string name = $"{sought.Kind} \"{sought.Name}\" of {sought.State}";
            search.Add(name, "bytes", bytes);
            Add(search, name, "hex", Convert.ToHexString(bytes).ToLowerInvariant());
            Add(search, name, "decimal", string.Join(',', bytes));
            for (int shift = 0; shift < 3; shift++)
            {
                // Without the ends, which share characters with the neighbours.
                string base64 = Convert.ToBase64String([.. new byte[shift], .. bytes]).TrimEnd('=');
                Add(search, name, "base64", base64[4..^1]);
            }

            if (sought.Kind == BusyProxy.Plaintext)
            {
                Add(search, name, "text", Encoding.Latin1.GetString(bytes).ToLowerInvariant());
            }
        }

        foreach ((string file, string kind) in new[] { (busy.KeyFiles.Ecdsa, "ecdsa"), (busy.KeyFiles.Rsa, "rsa") })
        {
            foreach ((string part, byte[] number) in KeyForms.PrivateNumbers(File.ReadAllText(file)))
            {
                Add(search, $"{kind} {part}", "hex", Convert.ToHexString(number).ToLowerInvariant());
            }

            KeyForms.AddTo(search, file, part => $"{kind} {part}");
        }

        SortedSet<string> found = [];
        string plain = log.Replace("0x", "", StringComparison.OrdinalIgnoreCase);
        foreach (string way in new[] { log, log.ToLowerInvariant(), Without(plain.ToLowerInvariant(), "-: ,"), Without(log, " ") })
        {
            search.Scan(null, Encoding.Latin1.GetBytes(way), hit => found.Add($"{hit.Sought} as {hit.Form}"));
        }

        return found;
    }

    private static void Add(SecretSearch<string> search, string name, string form, string text)
    {
        if (text.Length >= TextPiece)
        {
            search.Add(name, form, Encoding.Latin1.GetBytes(text), TextPiece);
        }
    }

    private static string Without(string text, string characters) =>
        string.Concat(text.Split([.. characters]));

    private const int TextPiece = 16;
}
