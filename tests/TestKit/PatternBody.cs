using System.Buffers.Binary;
using System.Security.Cryptography;

namespace TestKit;

/// <summary>
/// A body of any length whose every 8 bytes depend on their position, so that a byte lost, repeated, swapped
/// or zeroed shows. Nobody has to hold it: any stretch can be made again.
/// </summary>
public static class PatternBody
{
    /// <summary>Writes the stretch that begins at <paramref name="offset"/>.</summary>
    public static void Fill(Span<byte> destination, long offset)
    {
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        int misaligned = (int)(offset % sizeof(ulong));
        ulong index = (ulong)(offset / sizeof(ulong));
        if (misaligned != 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, WordAt(index++));
            int count = Math.Min(sizeof(ulong) - misaligned, destination.Length);
            word.Slice(misaligned, count).CopyTo(destination);
            destination = destination[count..];
        }

        for (; destination.Length >= sizeof(ulong); destination = destination[sizeof(ulong)..])
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination, WordAt(index++));
        }

        BinaryPrimitives.WriteUInt64LittleEndian(word, WordAt(index));
        word[..destination.Length].CopyTo(destination);
    }

    /// <summary>The first <paramref name="length"/> bytes.</summary>
    public static byte[] Take(int length)
    {
        byte[] body = new byte[length];
        Fill(body, 0);
        return body;
    }

    /// <summary>Whether these bytes are the stretch that begins at <paramref name="offset"/>.</summary>
    public static bool Matches(ReadOnlySpan<byte> bytes, long offset)
    {
        byte[] expected = new byte[bytes.Length];
        Fill(expected, offset);
        return bytes.SequenceEqual(expected);
    }

    /// <summary>
    /// Writes the first <paramref name="length"/> bytes to a stream, flushing after each 64 KiB.
    /// </summary>
    public static async Task WriteToAsync(Stream destination, long length, CancellationToken cancellation)
    {
        byte[] chunk = new byte[ChunkLength];
        for (long offset = 0; offset < length; offset += chunk.Length)
        {
            int count = (int)Math.Min(chunk.Length, length - offset);
            Fill(chunk.AsSpan(0, count), offset);
            await destination.WriteAsync(chunk.AsMemory(0, count), cancellation);
            await destination.FlushAsync(cancellation);
        }
    }

    /// <summary>SHA-256 of the first <paramref name="length"/> bytes, in lower-case hex.</summary>
    public static string Sha256(long length)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkLength];
        for (long offset = 0; offset < length; offset += chunk.Length)
        {
            int count = (int)Math.Min(chunk.Length, length - offset);
            Fill(chunk.AsSpan(0, count), offset);
            hash.AppendData(chunk, 0, count);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // SplitMix64's finalizer: cheap, and neighbouring positions share no pattern.
    private static ulong WordAt(ulong index)
    {
        ulong mixed = (index + 1) * 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    private const int ChunkLength = 64 * 1024;
}
