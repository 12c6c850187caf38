using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Aead.Algorithms;

// OpenSSL's ChaCha20 spreads its key over its stack frame and leaves it there when it returns; throwing an exception saves all registers, and so
// what a cipher had in them. A key would outlive its connection in the stack of an idle thread. Those frames lay below ours: whatever is called
// next can overwrite them. In a catch block it cannot, as the frames that threw are still between.

/// <summary>Overwrites what calls that have returned left on the stack.</summary>
public static class StackScrub
{
    /// <summary>After a call of the cryptographic library.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run()
    {
        Span<byte> below = stackalloc byte[CallBytes];
        CryptographicOperations.ZeroMemory(below);
    }

    /// <summary>After many calls, or after an exception was caught.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void RunDeep()
    {
        Span<byte> below = stackalloc byte[DeepBytes];
        CryptographicOperations.ZeroMemory(below);
    }

    // The deepest frames of OpenSSL 3 below an AEAD call, those of its AVX-512 code included, with the runtime's own on the way: under 3 KiB.
    private const int CallBytes = 8192;

    // What the runtime needs to throw and catch, or a handshake from record to primitive: some 20 KiB.
    private const int DeepBytes = 65536;
}
