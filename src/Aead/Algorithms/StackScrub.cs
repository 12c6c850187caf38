using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Aead.Algorithms;

// OpenSSL's ChaCha20 spreads its key over its stack frame and leaves it there when it returns: the key outlives its connection in the stack of
// an idle thread. Its frames lay below ours, so whatever is called next can overwrite them.

/// <summary>Overwrites what a call into the cryptographic library has left on the stack.</summary>
internal static class StackScrub
{
    /// <summary>To be called by whoever has just called the library.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public static void Run()
    {
        Span<byte> below = stackalloc byte[Bytes];
        CryptographicOperations.ZeroMemory(below);
    }

    // The deepest frames of OpenSSL 3 below an AEAD call, those of its AVX-512 code included, with the runtime's own on the way: under 3 KiB.
    private const int Bytes = 8192;
}
