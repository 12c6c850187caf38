using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using TestKit.Processes;

namespace TestKit.Secrets;

/// <summary>A core of a running process, taken by gcore: what may not be dumped is not in it.</summary>
public sealed class CoreFile : IDisposable
{
    private readonly TemporaryDirectory _directory = new(parent: InMemory);
    private readonly string _file;

    private CoreFile(string output, int id)
    {
        Output = output;
        _file = _directory.File($"core.{id}");
    }

    /// <summary>What gcore said.</summary>
    public string Output { get; private set; }

    public long Bytes => new FileInfo(_file).Length;

    /// <summary>Stops the process for a moment and copies it. Root alone can: the proxy is not dumpable.</summary>
    public static async Task<CoreFile> TakeAsync(int id)
    {
        CoreFile core = new("", id);
        CommandResult result = await CommandRunner.RunAsync("gcore", ["-o", core._directory.File("core"), $"{id}"], timeout: Timeouts.Program);
        core.Output = result.Everything;
        if (!File.Exists(core._file))
        {
            core.Dispose();
            throw new InvalidOperationException($"gcore made no core of {id}.\n{result.Everything}");
        }

        return core;
    }

    /// <summary>Every stretch of it, with the address it had; the notes (registers) have none.</summary>
    public void Read(Action<nint?, ReadOnlySpan<byte>> visit)
    {
        using SafeFileHandle file = File.OpenHandle(_file);
        byte[] header = new byte[HeaderLength];
        RandomAccess.Read(file, header, 0);
        long table = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(32));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(56));
        byte[] entry = new byte[EntryLength];
        byte[] buffer = new byte[StretchBytes + SeamBytes];
        for (int i = 0; i < count; i++)
        {
            RandomAccess.Read(file, entry, table + (i * EntryLength));
            bool isNote = BinaryPrimitives.ReadInt32LittleEndian(entry) == NoteSegment;
            long offset = BinaryPrimitives.ReadInt64LittleEndian(entry.AsSpan(8));
            nint address = (nint)BinaryPrimitives.ReadInt64LittleEndian(entry.AsSpan(16));
            long length = BinaryPrimitives.ReadInt64LittleEndian(entry.AsSpan(32));
            for (long at = 0; at < length; at += StretchBytes)
            {
                Span<byte> stretch = buffer.AsSpan(0, (int)Math.Min(length - at, buffer.Length));
                stretch = stretch[..RandomAccess.Read(file, stretch, offset + at)];
                visit(isNote ? null : address + (nint)at, stretch);
            }
        }
    }

    public void Dispose() => _directory.Dispose();

    // A core is a gigabyte of zeros for the most part, which a disk takes long for.
    private static string? InMemory =>
        Directory.Exists(SharedMemory) && new DriveInfo(SharedMemory).AvailableFreeSpace > FreeBytesMin ? SharedMemory : null;

    private const string SharedMemory = "/dev/shm";
    private const long FreeBytesMin = 4L << 30;

    // elf(5), 64 bits: e_phoff at 32, e_phnum at 56; of an entry p_type at 0, p_offset 8, p_vaddr 16, p_filesz 32.
    private const int HeaderLength = 64;
    private const int EntryLength = 56;
    private const int NoteSegment = 4;
    private const int StretchBytes = 1 << 22;
    private const int SeamBytes = 64;
}
