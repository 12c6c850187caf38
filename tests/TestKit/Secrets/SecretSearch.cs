using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TestKit.Secrets;

/// <summary>Where a piece of something sought was found.</summary>
public readonly record struct SecretHit<T>(T Sought, string Form, nint? Address);

// A secret that was half overwritten has still leaked, so each is sought by its pieces: eight bytes at every eighth offset. Eight random bytes
// do not come about by chance in a few gigabytes. Longer pieces (of text, which is less random) are compared to their end.

/// <summary>Finds many byte strings at once, and any piece of them.</summary>
public sealed class SecretSearch<T>
{
    private readonly Dictionary<ulong, List<(byte[] Piece, T Sought, string Form)>> _pieces = [];
    private readonly ulong[] _filter = new ulong[1 << (FilterBits - 6)];

    /// <summary>How many pieces are sought.</summary>
    public int Count { get; private set; }

    /// <summary>Seeks every piece of random bytes.</summary>
    public void Add(T sought, string form, ReadOnlySpan<byte> bytes) => Add(sought, form, bytes, sizeof(ulong));

    /// <summary>Seeks every piece of this length of something less random.</summary>
    public void Add(T sought, string form, ReadOnlySpan<byte> bytes, int pieceLength)
    {
        for (int start = 0; start + pieceLength <= bytes.Length; start += sizeof(ulong))
        {
            AddPiece(sought, form, bytes.Slice(start, pieceLength).ToArray());
        }

        if (bytes.Length > pieceLength && bytes.Length % sizeof(ulong) != 0)
        {
            AddPiece(sought, form, bytes[^pieceLength..].ToArray());
        }
    }

    /// <summary>Reports every place in <paramref name="memory"/> where a piece begins.</summary>
    public void Scan(nint? address, ReadOnlySpan<byte> memory, Action<SecretHit<T>> found)
    {
        for (int page = 0; page + sizeof(ulong) <= memory.Length; page += PageBytes)
        {
            // Into the next page, but not past the end.
            ReadOnlySpan<byte> here = memory[page..Math.Min(memory.Length, page + PageBytes + sizeof(ulong) - 1)];
            if (!here.ContainsAnyExcept((byte)0))
            {
                continue;
            }

            for (int i = NextCandidate(here, 0); i >= 0; i = NextCandidate(here, i + 1))
            {
                Compare(MemoryMarshal.Read<ulong>(here[i..]), memory[(page + i)..], address + page + i, found);
            }
        }
    }

    // The inner loop of the whole search: every byte of the memory begins a word that is looked up in a table of bits.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int NextCandidate(ReadOnlySpan<byte> here, int from)
    {
        ref byte start = ref MemoryMarshal.GetReference(here);
        ref ulong filter = ref MemoryMarshal.GetArrayDataReference(_filter);
        for (int i = from; i <= here.Length - sizeof(ulong); i++)
        {
            ulong hash = Hash(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i)));
            if ((Unsafe.Add(ref filter, (int)(hash >> 6)) >> (int)(hash & 63) & 1) != 0)
            {
                return i;
            }
        }

        return -1;
    }

    private void Compare(ulong word, ReadOnlySpan<byte> memory, nint? address, Action<SecretHit<T>> found)
    {
        if (!_pieces.TryGetValue(word, out var candidates))
        {
            return;
        }

        foreach ((byte[] piece, T sought, string form) in candidates)
        {
            if (memory.StartsWith(piece))
            {
                found(new SecretHit<T>(sought, form, address));
            }
        }
    }

    private void AddPiece(T sought, string form, byte[] piece)
    {
        // Zeros are everywhere, and secret nowhere.
        ulong word = BinaryPrimitives.ReadUInt64LittleEndian(piece);
        if (word == 0)
        {
            return;
        }

        ulong hash = Hash(word);
        _filter[hash >> 6] |= 1UL << (int)(hash & 63);
        if (!_pieces.TryGetValue(word, out var same))
        {
            _pieces.Add(word, same = []);
        }

        if (!same.Exists(known => EqualityComparer<T>.Default.Equals(known.Sought, sought) && known.Form == form && known.Piece.AsSpan().SequenceEqual(piece)))
        {
            same.Add((piece, sought, form));
            Count++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Hash(ulong word) => word * 0x9E3779B97F4A7C15 >> (64 - FilterBits);

    private const int FilterBits = 20;
    private const int PageBytes = 4096;
}
