using System.Runtime.InteropServices;

namespace TestKit.Pages;

/// <summary>
/// Looks at an address of this process the way a debugger would: the kernel answers EFAULT where a load would
/// end the process, so a test can watch hidden pages thousands of times and live.
/// </summary>
public static unsafe partial class PageProbe
{
    /// <summary>The bytes there, or null when any of them cannot be read.</summary>
    public static byte[]? Read(nint address, int length)
    {
        byte[] bytes = new byte[length];
        return TryRead(address, bytes) ? bytes : null;
    }

    /// <summary>Copies the bytes there, or tells that some of them cannot be read.</summary>
    public static bool TryRead(nint address, Span<byte> bytes)
    {
        fixed (byte* destination = bytes)
        {
            var local = new IoVector { Address = (nint)destination, Length = (nuint)bytes.Length };
            var remote = new IoVector { Address = address, Length = (nuint)bytes.Length };
            nint copied = ReadProcess(Environment.ProcessId, &local, 1, &remote, 1, 0);
            if (copied < 0 && Marshal.GetLastPInvokeError() != EFault)
            {
                int errno = Marshal.GetLastPInvokeError();
                throw new InvalidOperationException($"process_vm_readv failed with errno {errno}.");
            }

            return copied == bytes.Length;
        }
    }

    /// <summary>True when no page of the range can be read.</summary>
    public static bool IsHidden(nint address, int length)
    {
        for (int offset = 0; offset < length; offset += Environment.SystemPageSize)
        {
            if (Read(address + offset, 1) is not null)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Asks for write access to a mapping. True when the kernel refuses with EACCES, as for a view of a
    /// sealed memfd.
    /// </summary>
    public static bool RefusesWriting(nint address, int length) =>
        Protect(address, (nuint)length, ReadWrite) == -1 && Marshal.GetLastPInvokeError() == EAccess;

    [LibraryImport("libc", EntryPoint = "process_vm_readv", SetLastError = true)]
    private static partial nint ReadProcess(
        int pid, IoVector* local, nuint localCount, IoVector* remote, nuint remoteCount, nuint flags);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    // include/uapi/asm-generic/errno-base.h and mman-common.h.
    private const int EAccess = 13;
    private const int EFault = 14;
    private const int ReadWrite = 3;

    private struct IoVector
    {
        public nint Address;
        public nuint Length;
    }
}
