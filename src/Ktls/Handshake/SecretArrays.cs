using System.Collections.Concurrent;
using System.Security.Cryptography;
using Aead.Algorithms;

namespace Ktls.Handshake;

// The collector moves what survives it and leaves the old bytes where they were, so a secret must not lie in an array that it may move. Pinned
// arrays cost the heap more than others, and a handshake makes dozens: they go from one to the next.

/// <summary>Pinned arrays for secrets, which are zeros whenever they are here.</summary>
internal static class SecretArrays
{
    private static readonly ConcurrentDictionary<int, ConcurrentBag<byte[]>> Free = new();

    /// <summary>An array of exactly this length, all zeros.</summary>
    public static byte[] Rent(int length) =>
        Free.TryGetValue(length, out ConcurrentBag<byte[]>? bag) && bag.TryTake(out byte[]? array)
            ? array
            : GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>Zeroes an array that nobody else holds, and keeps it if its length is a usual one.</summary>
    public static void Return(byte[] array)
    {
        CryptographicOperations.ZeroMemory(array);
        if (array.Length is not (SHA256.HashSizeInBytes or SHA384.HashSizeInBytes or Aes128KeyLength or AeadAlgorithm.NonceLength))
        {
            return;
        }

        ConcurrentBag<byte[]> bag = Free.GetOrAdd(array.Length, _ => []);
        if (bag.Count < FreeMax)
        {
            bag.Add(array);
        }
    }

    private const int Aes128KeyLength = 16;

    // Of each length: what a few dozen handshakes at once hold.
    private const int FreeMax = 1024;
}
