using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Aead.Algorithms;

// .NET has loaded libssl.so.3 and with it libcrypto.so.3. The loader gives whoever asks by that name the same instance, with its one error queue
// per thread and its one set of providers. Whoever binds a function of OpenSSL itself binds it by this name.

/// <summary>The library of OpenSSL that the runtime has loaded for all cryptography.</summary>
public static class LibCryptoLibrary
{
    /// <summary>For LibraryImport.</summary>
    public const string Name = "libcrypto.so.3";

    /// <summary>Whether the runtime's OpenSSL is <see cref="Name"/>, so that direct calls and .NET share one library.</summary>
    public static bool IsTheRuntimes { get; } = Probe();

    /// <exception cref="PlatformNotSupportedException">The runtime has another OpenSSL, or none.</exception>
    internal static void Require()
    {
        if (!IsTheRuntimes)
        {
            throw new PlatformNotSupportedException($"Records are protected by {Name}, which is not the OpenSSL that .NET has loaded.");
        }
    }

    [SuppressMessage("Interoperability", "CA1416:Validate platform compatibility",
        Justification = "The product runs on Linux alone, where .NET's cryptography is OpenSSL.")]
    private static bool Probe()
    {
        try
        {
            return EvpCipher.LibraryVersion == SafeEvpPKeyHandle.OpenSslVersion;
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }
}
