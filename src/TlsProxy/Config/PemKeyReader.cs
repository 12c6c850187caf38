using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Ktls.Handshake;

namespace TlsProxy.Config;

/// <summary>A private key from PEM text: PKCS#8, encrypted PKCS#8, SEC 1 (EC) or PKCS#1 (RSA).</summary>
internal static class PemKeyReader
{
    /// <summary>The key, or null when the report has an error for it.</summary>
    public static AsymmetricAlgorithm? Read(ReadOnlySpan<byte> pem, string file, string? password, string path, ConfigReport report)
    {
        string? label = FindLabel(pem, out ReadOnlySpan<byte> base64);
        if (label is null)
        {
            report.Error(path, $"{file} holds no private key; name the PEM file that has '-----BEGIN PRIVATE KEY-----'.");
            return null;
        }

        if (pem.IndexOf("Proc-Type: 4,ENCRYPTED"u8) >= 0)
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

        if (!encrypted && ImportBase64(base64) is { } direct)
        {
            return direct;
        }

        string text = Encoding.UTF8.GetString(pem);
        return Import(ECDsa.Create(), text, encrypted ? password : null)
            ?? Import(RSA.Create(), text, encrypted ? password : null)
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

    // On no way through a string or an array that the collector could copy.
    private static AsymmetricAlgorithm? ImportBase64(ReadOnlySpan<byte> base64)
    {
        byte[] der = GC.AllocateArray<byte>(Base64.GetMaxDecodedFromUtf8Length(base64.Length), pinned: true);
        try
        {
            return Base64.DecodeFromUtf8(base64, der, out _, out int length) == System.Buffers.OperationStatus.Done
                ? PrivateKeyImport.FromDer(der.AsSpan(0, length))
                : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(der);
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

    private static string? FindLabel(ReadOnlySpan<byte> pem, out ReadOnlySpan<byte> base64)
    {
        ReadOnlySpan<byte> rest = pem;
        while (PemEncoding.TryFindUtf8(rest, out PemFields fields))
        {
            string label = Encoding.UTF8.GetString(rest[fields.Label]);
            if (KeyLabels.Contains(label))
            {
                base64 = rest[fields.Base64Data];
                return label;
            }

            rest = rest[fields.Location.End..];
        }

        // A PEM block with header lines is not found above; the old encrypted format is one.
        base64 = [];
        foreach (string label in KeyLabels)
        {
            if (pem.IndexOf(Encoding.UTF8.GetBytes($"-----BEGIN {label}-----")) >= 0)
            {
                return label;
            }
        }

        return null;
    }

    private const string EncryptedLabel = "ENCRYPTED PRIVATE KEY";

    // RFC 7468 §10 and §11; RFC 5915 §4; RFC 8017 A.1.2 in the usual armour.
    private static readonly string[] KeyLabels = ["PRIVATE KEY", EncryptedLabel, "EC PRIVATE KEY", "RSA PRIVATE KEY"];
}
