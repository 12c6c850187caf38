using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Aead.Algorithms;

// OpenSSL's ChaCha20 spreads its key over its stack frame and leaves it there when it returns; throwing an exception saves all registers, and so
// what a cipher had in them. A key would outlive its connection in the stack of an idle thread. Those frames lay below ours: whatever is called
// next can overwrite them. In a catch block it cannot, as the frames that threw are still between. What was copied last stays in vector registers,
// which the kernel puts on the stack when the collector interrupts the thread.

/// <summary>Overwrites what calls that have returned left on the stack and in vector registers.</summary>
public static class StackScrub
{
    /// <summary>After a call of the cryptographic library.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run()
    {
        Span<byte> below = stackalloc byte[CallBytes];
        CryptographicOperations.ZeroMemory(below);
        OverwriteRegisters(below);
    }

    /// <summary>After many calls, or after an exception was caught.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void RunDeep()
    {
        Span<byte> below = stackalloc byte[DeepBytes];
        CryptographicOperations.ZeroMemory(below);
        OverwriteRegisters(below);
    }

    // Thirty-two values that are all needed twice, in the order they came in: each register of a processor gets one, as far as it has them. Writing
    // the lower half of a register zeroes the upper. Optimized from the start, for a first version would use one register for all.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static bool OverwriteRegisters(ReadOnlySpan<byte> zeros)
    {
        ref byte zero = ref MemoryMarshal.GetReference(zeros);
        Vector128<byte> v0 = Vector128.LoadUnsafe(ref zero, 0);
        Vector128<byte> v1 = Vector128.LoadUnsafe(ref zero, 16);
        Vector128<byte> v2 = Vector128.LoadUnsafe(ref zero, 32);
        Vector128<byte> v3 = Vector128.LoadUnsafe(ref zero, 48);
        Vector128<byte> v4 = Vector128.LoadUnsafe(ref zero, 64);
        Vector128<byte> v5 = Vector128.LoadUnsafe(ref zero, 80);
        Vector128<byte> v6 = Vector128.LoadUnsafe(ref zero, 96);
        Vector128<byte> v7 = Vector128.LoadUnsafe(ref zero, 112);
        Vector128<byte> v8 = Vector128.LoadUnsafe(ref zero, 128);
        Vector128<byte> v9 = Vector128.LoadUnsafe(ref zero, 144);
        Vector128<byte> v10 = Vector128.LoadUnsafe(ref zero, 160);
        Vector128<byte> v11 = Vector128.LoadUnsafe(ref zero, 176);
        Vector128<byte> v12 = Vector128.LoadUnsafe(ref zero, 192);
        Vector128<byte> v13 = Vector128.LoadUnsafe(ref zero, 208);
        Vector128<byte> v14 = Vector128.LoadUnsafe(ref zero, 224);
        Vector128<byte> v15 = Vector128.LoadUnsafe(ref zero, 240);
        Vector128<byte> v16 = Vector128.LoadUnsafe(ref zero, 256);
        Vector128<byte> v17 = Vector128.LoadUnsafe(ref zero, 272);
        Vector128<byte> v18 = Vector128.LoadUnsafe(ref zero, 288);
        Vector128<byte> v19 = Vector128.LoadUnsafe(ref zero, 304);
        Vector128<byte> v20 = Vector128.LoadUnsafe(ref zero, 320);
        Vector128<byte> v21 = Vector128.LoadUnsafe(ref zero, 336);
        Vector128<byte> v22 = Vector128.LoadUnsafe(ref zero, 352);
        Vector128<byte> v23 = Vector128.LoadUnsafe(ref zero, 368);
        Vector128<byte> v24 = Vector128.LoadUnsafe(ref zero, 384);
        Vector128<byte> v25 = Vector128.LoadUnsafe(ref zero, 400);
        Vector128<byte> v26 = Vector128.LoadUnsafe(ref zero, 416);
        Vector128<byte> v27 = Vector128.LoadUnsafe(ref zero, 432);
        Vector128<byte> v28 = Vector128.LoadUnsafe(ref zero, 448);
        Vector128<byte> v29 = Vector128.LoadUnsafe(ref zero, 464);
        Vector128<byte> v30 = Vector128.LoadUnsafe(ref zero, 480);
        Vector128<byte> v31 = Vector128.LoadUnsafe(ref zero, 496);
        Vector128<byte> all = v0 | v1 | v2 | v3 | v4 | v5 | v6 | v7
            | v8 | v9 | v10 | v11 | v12 | v13 | v14 | v15
            | v16 | v17 | v18 | v19 | v20 | v21 | v22 | v23
            | v24 | v25 | v26 | v27 | v28 | v29 | v30 | v31;
        Vector128<byte> again = v0 ^ v1 ^ v2 ^ v3 ^ v4 ^ v5 ^ v6 ^ v7
            ^ v8 ^ v9 ^ v10 ^ v11 ^ v12 ^ v13 ^ v14 ^ v15
            ^ v16 ^ v17 ^ v18 ^ v19 ^ v20 ^ v21 ^ v22 ^ v23
            ^ v24 ^ v25 ^ v26 ^ v27 ^ v28 ^ v29 ^ v30 ^ v31;
        return all == again;
    }

    // The deepest frames of OpenSSL 3 below an AEAD call, those of its AVX-512 code included, with the runtime's own on the way: under 3 KiB.
    private const int CallBytes = 8192;

    // What the runtime needs to throw and catch, or a handshake from record to primitive: some 20 KiB.
    private const int DeepBytes = 65536;
}
