using System.Security.Cryptography;

namespace TlsProxy.Config;

/// <summary>A private key from PEM text: PKCS#8, encrypted PKCS#8, SEC 1 (EC) or PKCS#1 (RSA).</summary>
internal static class PemKeyReader
{
    /// <summary>The key, or null when the report has an error for it.</summary>
    public static AsymmetricAlgorithm? Read(string pem, string file, string? password, string path, ConfigReport report)
    {
        string? label = FindLabel(pem);
        if (label is null)
        {
            report.Error(path, $"{file} holds no private key; name the PEM file that has '-----BEGIN PRIVATE KEY-----'.");
            return null;
        }

        if (pem.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
        {
            report.Error(
                path,
                $"{file} is encrypted in OpenSSL's old format; convert it with 'openssl pkcs8 -topk8 -in {file} -out NEW' and set Password.");
            return null;
        }

        bool encrypted = label == EncryptedLabel;
        if (encrypted && password is null)
        {
            report.Error(path, $"{file} is encrypted; set Password beside it, or decrypt it with 'openssl pkey -in {file} -out NEW'.");
            return null;
        }

        return Import(ECDsa.Create(), pem, encrypted ? password : null)
            ?? Import(RSA.Create(), pem, encrypted ? password : null)
            ?? Refuse();

        AsymmetricAlgorithm? Refuse()
        {
            report.Error(
                path,
                encrypted
                    ? $"{file} does not decrypt with this Password; correct Password, or decrypt the key with 'openssl pkey'."
                    : $"{file} holds no ECDSA or RSA key that can be read; make one with "
                        + "'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256'.");
            return null;
        }
    }

    private static AsymmetricAlgorithm? Import(AsymmetricAlgorithm key, string pem, string? password)
    {
        try
        {
            if (password is null)
            {
                key.ImportFromPem(pem);
            }
            else
            {
                key.ImportFromEncryptedPem(pem, password);
            }

            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            return null;
        }
    }

    private static string? FindLabel(string pem)
    {
        ReadOnlySpan<char> rest = pem;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            string label = rest[fields.Label].ToString();
            if (KeyLabels.Contains(label))
            {
                return label;
            }

            rest = rest[fields.Location.End..];
        }

        // A PEM block with header lines is not found above; the old encrypted format is one.
        return Array.Find(KeyLabels, l => pem.Contains($"-----BEGIN {l}-----", StringComparison.Ordinal));
    }

    private const string EncryptedLabel = "ENCRYPTED PRIVATE KEY";

    // RFC 7468 §10 and §11; RFC 5915 §4; RFC 8017 A.1.2 in the usual armour.
    private static readonly string[] KeyLabels = ["PRIVATE KEY", EncryptedLabel, "EC PRIVATE KEY", "RSA PRIVATE KEY"];
}
