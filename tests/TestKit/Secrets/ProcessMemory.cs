using System.Globalization;
using Microsoft.Win32.SafeHandles;
using TestKit.Pages;

namespace TestKit.Secrets;

/// <summary>What a stretch of a process's memory is for.</summary>
public enum MemoryKind
{
    /// <summary>malloc's memory: libcrypto's contexts and keys, and the runtime's own.</summary>
    NativeHeap,

    /// <summary>Objects of .NET, garbage included.</summary>
    ManagedHeap,

    /// <summary>A thread's stack.</summary>
    Stack,

    /// <summary>The guarded pages, by whichever view.</summary>
    GuardedPages,

    /// <summary>Anonymous memory that is none of these.</summary>
    OtherAnonymous,

    /// <summary>Files, code, and what the compiler made.</summary>
    Image,

    /// <summary>Registers and the like, in a core file.</summary>
    CoreNotes,
}

/// <summary>The memory of another process, as root sees it: every page that exists, whether anybody may read it or not.</summary>
public sealed class ProcessMemory
{
    private readonly int _id;
    private readonly IReadOnlyList<Mapping> _mappings;
    private readonly nint[] _stackPointers;
    private readonly (nint Start, nint End) _managed;

    public ProcessMemory(int id)
    {
        _id = id;
        _mappings = Mappings.Read(id);
        _stackPointers = [.. Directory.EnumerateDirectories($"/proc/{id}/task").Select(StackPointer).Where(pointer => pointer != 0)];
        _managed = ManagedRange(_mappings);
    }

    /// <summary>What lies at this address.</summary>
    public MemoryKind KindAt(nint address)
    {
        Mapping? mapping = _mappings.FirstOrDefault(m => m.Start <= address && address < m.End);
        return mapping is null ? MemoryKind.OtherAnonymous : KindOf(mapping, address);
    }

    /// <summary>Every page that has content, in stretches.</summary>
    public void Read(Action<nint, ReadOnlySpan<byte>> visit)
    {
        using SafeFileHandle memory = File.OpenHandle($"/proc/{_id}/mem");
        using SafeFileHandle pageMap = File.OpenHandle($"/proc/{_id}/pagemap");
        byte[] buffer = new byte[StretchBytes + SeamBytes];
        foreach (Mapping mapping in _mappings.Where(m => m.ResidentBytes > 0 && m.Name is not ("[vvar]" or "[vsyscall]" or "[vvar_vclock]")))
        {
            foreach ((nint start, nint end) in PresentStretches(pageMap, mapping))
            {
                for (nint at = start; at < end; at += StretchBytes)
                {
                    // A secret may lie across the seam between two stretches.
                    int wanted = (int)Math.Min(end - at, buffer.Length);
                    int count = ReadAt(memory, buffer.AsSpan(0, wanted), at);
                    visit(at, buffer.AsSpan(0, count));
                }
            }
        }
    }

    private MemoryKind KindOf(Mapping mapping, nint address)
    {
        if (mapping.Name.StartsWith("/memfd:tls-pages", StringComparison.Ordinal))
        {
            return MemoryKind.GuardedPages;
        }

        if (mapping.Name == "[heap]" || (mapping.Name.Length == 0 && IsArena(address)))
        {
            return MemoryKind.NativeHeap;
        }

        if (mapping.Name.StartsWith("[stack", StringComparison.Ordinal) || _stackPointers.Any(p => mapping.Start <= p && p < mapping.End))
        {
            return MemoryKind.Stack;
        }

        return mapping.Name.Length > 0 ? MemoryKind.Image
            : _managed.Start <= address && address < _managed.End ? MemoryKind.ManagedHeap
            : MemoryKind.OtherAnonymous;
    }

    // glibc's heaps but the first: mapped at multiples of their size, in use from the start, reserved behind it.
    private bool IsArena(nint address)
    {
        nint start = address & -ArenaBytes;
        Mapping? first = _mappings.FirstOrDefault(m => m.Start == start && m.Name.Length == 0 && m.Access.StartsWith("rw", StringComparison.Ordinal));
        return first is not null && address < first.End && (first.End == start + ArenaBytes
            || _mappings.Any(m => m.Start == first.End && m.End == start + ArenaBytes && m.Access == "---p"));
    }

    // The collector reserves its whole range at the start, which is larger than anything else: neighbours without a gap, and without a name.
    private static (nint Start, nint End) ManagedRange(IReadOnlyList<Mapping> mappings)
    {
        (nint Start, nint End) largest = default, current = default;
        foreach (Mapping mapping in mappings.Where(m => m.Name.Length == 0 && m.Access is "rw-p" or "---p"))
        {
            current = mapping.Start == current.End ? (current.Start, mapping.End) : (mapping.Start, mapping.End);
            largest = current.End - current.Start > largest.End - largest.Start ? current : largest;
        }

        return largest;
    }

    // proc_pid_syscall(5): the stack pointer is the last word but one, unless the thread is running.
    private static nint StackPointer(string task)
    {
        try
        {
            string[] words = File.ReadAllText(Path.Combine(task, "syscall")).Split(' ');
            return words.Length < 3 ? 0 : nint.Parse(words[^2].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // The thread has ended.
        }
    }

    private static List<(nint Start, nint End)> PresentStretches(SafeFileHandle pageMap, Mapping mapping)
    {
        int page = Environment.SystemPageSize;
        byte[] entries = new byte[sizeof(ulong) * EntriesAtOnce];
        List<(nint Start, nint End)> stretches = [];
        for (nint at = mapping.Start; at < mapping.End; at += (nint)EntriesAtOnce * page)
        {
            int pages = (int)Math.Min(EntriesAtOnce, (mapping.End - at) / page);
            int count = RandomAccess.Read(pageMap, entries.AsSpan(0, pages * sizeof(ulong)), at / page * sizeof(ulong)) / sizeof(ulong);
            for (int i = 0; i < count; i++)
            {
                // pagemap: bit 63 is present, bit 62 swapped.
                if (BitConverter.ToUInt64(entries, i * sizeof(ulong)) >> 62 == 0)
                {
                    continue;
                }

                nint start = at + ((nint)i * page);
                if (stretches.Count > 0 && stretches[^1].End == start)
                {
                    stretches[^1] = (stretches[^1].Start, start + page);
                }
                else
                {
                    stretches.Add((start, start + page));
                }
            }
        }

        return stretches;
    }

    private static int ReadAt(SafeFileHandle memory, Span<byte> destination, nint address)
    {
        int total = 0;
        try
        {
            int count;
            while (total < destination.Length && (count = RandomAccess.Read(memory, destination[total..], address + total)) > 0)
            {
                total += count;
            }
        }
        catch (IOException)
        {
            // The mapping went away meanwhile.
        }

        return total;
    }

    private const int StretchBytes = 1 << 22;
    private const int SeamBytes = 64;
    private const int EntriesAtOnce = 1 << 15;

    // HEAP_MAX_SIZE of glibc on 64 bits.
    private const nint ArenaBytes = 64 << 20;
}
