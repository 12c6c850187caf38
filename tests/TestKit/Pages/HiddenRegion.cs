using System.ComponentModel;
using System.Runtime.InteropServices;
using Aead.Pages;

namespace TestKit.Pages;

/// <summary>
/// Memory that only a pinned writer can write: mapped read-write while it is pinned, then sealed, its writer mapping replaced by nothing at
/// all, and seen through a read-only view that starts hidden.
/// </summary>
public sealed unsafe partial class HiddenRegion : IDisposable
{
    private readonly nint _view;

    public HiddenRegion(IPinnedWriter writer, int bytes)
    {
        Bytes = bytes;
        int memory = Demand(CreateMemory("hidden", CloseOnExec | AllowSealing));
        Demand(SetLength(memory, bytes));
        Address = Demand(Map(0, (nuint)bytes, Read | Write, Shared | Populate, memory, 0));
        writer.Pin(Address, bytes);
        Demand(Control(memory, AddSeals, SealFutureWrite | SealShrink | SealGrow));
        Demand(Map(Address, (nuint)bytes, None, Private | Anonymous | Fixed | NoReserve, -1, 0));
        _view = Demand(Map(0, (nuint)bytes, None, Shared, memory, 0));
        Demand(Close(memory));
    }

    /// <summary>What it was pinned at: a number, behind which there is nothing to read or write.</summary>
    public nint Address { get; }

    public int Bytes { get; }

    /// <summary>True when nothing in this process reaches it.</summary>
    public bool IsHidden => PageProbe.IsHidden(Address, Bytes) && PageProbe.IsHidden(_view, Bytes);

    /// <summary>Makes the view readable, and hidden again.</summary>
    public void Show(bool shown) => Demand(Protect(_view, (nuint)Bytes, shown ? Read : None));

    /// <summary>What is there, shown for this moment only.</summary>
    public byte[] Peek(int offset, int length)
    {
        Show(true);
        byte[] bytes = PageProbe.Read(_view + offset, length)!;
        Show(false);
        return bytes;
    }

    public void Dispose()
    {
        _ = Unmap(Address, (nuint)Bytes);
        _ = Unmap(_view, (nuint)Bytes);
    }

    private static nint Demand(nint result) => result == -1 ? throw new Win32Exception() : result;

    private static int Demand(int result) => (int)Demand((nint)result);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemory(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int SetLength(int descriptor, nint bytes);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint bytes, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint bytes);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    // include/uapi/asm-generic/mman-common.h and mman.h.
    private const int None = 0;
    private const int Read = 1;
    private const int Write = 2;
    private const int Shared = 0x01;
    private const int Private = 0x02;
    private const int Fixed = 0x10;
    private const int Anonymous = 0x20;
    private const int NoReserve = 0x4000;
    private const int Populate = 0x8000;

    // include/uapi/linux/memfd.h, fcntl.h.
    private const uint CloseOnExec = 1;
    private const uint AllowSealing = 2;
    private const int AddSeals = 1033;
    private const int SealShrink = 2;
    private const int SealGrow = 4;
    private const int SealFutureWrite = 16;
}
