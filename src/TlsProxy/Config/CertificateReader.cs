using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ktls.Handshake;

namespace TlsProxy.Config;

/// <summary>
/// Parses one entry of "Certificates" into a <see cref="ServerIdentity"/>: PEM files or one PKCS#12 (PFX)
/// file.
/// </summary>
internal sealed class CertificateReader(string folder, ConfigReport report)
{
    /// <summary>The identity, or null when the report has an error for it.</summary>
    public ServerIdentity? Read(CertificateOptions options, string path)
    {
        if (string.IsNullOrWhiteSpace(options.Certificate))
        {
            report.Error($"{path}:Certificate", "is missing; name a PEM or PFX file.");
            return null;
        }

        string file = Path.GetFullPath(options.Certificate, folder);
        if (ReadFile(file, $"{path}:Certificate") is not { } content)
        {
            return null;
        }

        bool isPem = content.AsSpan().IndexOf("-----BEGIN "u8) >= 0;
        (IReadOnlyList<X509Certificate2> chain, AsymmetricAlgorithm key)? pair =
            isPem ? ReadPem(options, file, content, path) : ReadPfx(options, file, content, path);

        // The key may be in the same file.
        CryptographicOperations.ZeroMemory(content);
        return pair is { } found ? CreateIdentity(found.chain, found.key, options, file, path) : null;
    }

    private (IReadOnlyList<X509Certificate2>, AsymmetricAlgorithm)? ReadPem(
        CertificateOptions options, string file, byte[] content, string path)
    {
        X509Certificate2Collection chain = [];
        char[] certificateText = GC.AllocateArray<char>(content.Length, pinned: true);
        try
        {
            int length = Encoding.UTF8.GetChars(content, certificateText);
            chain.ImportFromPem(certificateText.AsSpan(0, length));
        }
        catch (CryptographicException e)
        {
            report.Error($"{path}:Certificate", $"{file} is damaged ({e.Message}); export the chain again.");
            return null;
        }
        finally
        {
            certificateText.AsSpan().Clear();
        }

        if (chain.Count == 0)
        {
            report.Error($"{path}:Certificate", $"{file} holds no certificate; it must hold the chain as PEM, leaf first.");
            return null;
        }

        byte[]? keyText = content;
        string keyFile = file;
        if (options.Key is not null)
        {
            keyFile = Path.GetFullPath(options.Key, folder);
            keyText = ReadFile(keyFile, $"{path}:Key");
            if (keyText is null)
            {
                return null;
            }
        }

        AsymmetricAlgorithm? key = PemKeyReader.Read(keyText, keyFile, options.Password, $"{path}:Key", report);
        CryptographicOperations.ZeroMemory(keyText);
        if (key is null)
        {
            return null;
        }

        if (PublicKeyMatches(chain[0], key))
        {
            return ([.. chain], key);
        }

        key.Dispose();
        report.Error(
            $"{path}:Key",
            $"the key in {keyFile} does not belong to the first certificate in {file} ({chain[0].Subject}); "
            + "give the key it was issued for, and put the server's own certificate first in the chain.");
        return null;
    }

    private (IReadOnlyList<X509Certificate2>, AsymmetricAlgorithm)? ReadPfx(
        CertificateOptions options, string file, byte[] content, string path)
    {
        if (options.Key is not null)
        {
            report.Error(
                $"{path}:Certificate",
                $"{file} is not PEM (there is no '-----BEGIN' in it); give the chain as PEM, or remove Key if this is a PFX file.");
            return null;
        }

        try
        {
            // Ephemeral: the key is never written to a key store on disk.
            X509Certificate2Collection all = X509CertificateLoader.LoadPkcs12Collection(
                content, options.Password, X509KeyStorageFlags.EphemeralKeySet);
            X509Certificate2? leaf = all.FirstOrDefault(c => c.HasPrivateKey);
            AsymmetricAlgorithm? key = (AsymmetricAlgorithm?)leaf?.GetECDsaPrivateKey() ?? leaf?.GetRSAPrivateKey();
            if (leaf is null || key is null)
            {
                report.Error($"{path}:Certificate", $"{file} holds no ECDSA or RSA key; export the PFX file with its private key.");
                return null;
            }

            return (CertificateChain.Order(leaf, all), key);
        }
        catch (CryptographicException)
        {
            report.Error(
                $"{path}:Certificate",
                options.Password is null
                    ? $"{file} is neither PEM nor a PFX file without a password; if it is a PFX file, set Password."
                    : $"{file} does not open as a PFX file with this Password; correct Password, or give PEM files.");
            return null;
        }
    }

    private ServerIdentity? CreateIdentity(
        IReadOnlyList<X509Certificate2> chain, AsymmetricAlgorithm key, CertificateOptions options, string file, string path)
    {
        try
        {
            var identity = new ServerIdentity(chain, key, options.ServerNames);
            CertificateChain.Warn(chain, identity, options.ServerNames, file, path, report);
            return identity;
        }
        catch (ArgumentException e)
        {
            key.Dispose();
            // Without the name of the parameter that the framework appends.
            string reason = e.Message.Split(" (Parameter ")[0];
            report.Error(path, $"{file} cannot be used: {reason}");
            return null;
        }
    }

    private byte[]? ReadFile(string file, string path)
    {
        try
        {
            return ReadPinned(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            report.Error(path, $"{file} does not exist; relative paths start at the folder of the configuration file.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Error(path, $"{file} cannot be read by user {Environment.UserName} ({e.Message}); check owner and mode.");
        }

        return null;
    }

    /// <summary>A file in an array that the collector does not move, so that whoever overwrites it leaves no copy behind.</summary>
    internal static byte[] ReadPinned(string file)
    {
        // No buffer of its own. A pipe has no length, and that of a file may be wrong by the time it has been read.
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        byte[] content = GC.AllocateArray<byte>(stream.CanSeek ? (int)Math.Min(stream.Length, FileBytesMax) + 1 : PipeBytes, pinned: true);
        int length = 0;
        int count;
        while ((count = stream.Read(content, length, content.Length - length)) > 0)
        {
            length += count;
            if (length > FileBytesMax)
            {
                CryptographicOperations.ZeroMemory(content);
                throw new IOException($"more than {FileBytesMax >> 20} MiB");
            }

            if (length == content.Length)
            {
                content = Resized(content, 2 * length);
            }
        }

        return Resized(content, length);
    }

    private static byte[] Resized(byte[] content, int length)
    {
        byte[] resized = GC.AllocateArray<byte>(length, pinned: true);
        content.AsSpan(0, Math.Min(content.Length, length)).CopyTo(resized);
        CryptographicOperations.ZeroMemory(content);
        return resized;
    }

    private static bool PublicKeyMatches(X509Certificate2 leaf, AsymmetricAlgorithm key) =>
        leaf.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo());

    // What a pipe holds on Linux; a chain with its key is a tenth of it.
    private const int PipeBytes = 1 << 16;
    private const int FileBytesMax = 16 << 20;
}
