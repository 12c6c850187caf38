using System.Globalization;
using System.Runtime.InteropServices;
using Aead.Pages;
using Ktls.Kernel;
using TestKit.Pages;

namespace PageFault;

// What a ring says where it is refused, and that it ends the process where it cannot keep its promise.
internal static unsafe partial class RingCases
{
    /// <summary>
    /// ring denied SYSTEM_CALL ERRNO | ring no-descriptors | ring pinned LIMIT BYTES | ring lost | ring zeros-lost
    /// </summary>
    public static string Run(string[] args) => args[1] switch
    {
        "denied" => Denied(Number(args[2]), Number(args[3])),
        "no-descriptors" => NoDescriptors(),
        "pinned" => Pinned((ulong)Number(args[2]), Number(args[3])),
        "lost" => Lost("anon_inode:[io_uring]", (ring, address) => ring.Submit([new() { Descriptor = 0, Address = address, Length = 1 }])),
        "zeros-lost" => Lost("/dev/zero", (ring, address) => ring.Zero(address, 1)),
        _ => throw new ArgumentException(args[1]),
    };

    private static string Denied(int call, int errno)
    {
        // A filter as a container's: this call gets this errno, all others pass. Source: seccomp(2), include/uapi/linux/filter.h.
        ulong* filter = stackalloc ulong[4]
        {
            Instruction(0x20, 0, 0, 0),                    // BPF_LD | BPF_W | BPF_ABS: seccomp_data.nr
            Instruction(0x15, 0, 1, (uint)call),           // BPF_JMP | BPF_JEQ | BPF_K
            Instruction(0x06, 0, 0, 0x00050000 | (uint)errno), // BPF_RET: SECCOMP_RET_ERRNO
            Instruction(0x06, 0, 0, 0x7FFF0000),           // BPF_RET: SECCOMP_RET_ALLOW
        };
        var program = new FilterProgram { Length = 4, Filter = filter };
        Require(Prctl(NoNewPrivileges, 1, 0, 0, 0));
        Require(Prctl(SetSeccomp, FilterMode, (nint)(&program), 0, 0));
        return Refusal();
    }

    private static string NoDescriptors()
    {
        // Loads what takes descriptors to load.
        HiddenReadRing.TryCreate(8, out _)?.Dispose();
        Require(Close(Duplicate(0)));
        LockLimits.Limit(LockLimits.Descriptors, 256);
        var taken = new Stack<int>();
        for (int descriptor; (descriptor = Duplicate(0)) >= 0;)
        {
            taken.Push(descriptor);
        }

        using HiddenReadRing? ring = HiddenReadRing.TryCreate(8, out SyscallResult none);
        Require(Close(taken.Pop()));
        using HiddenReadRing? half = HiddenReadRing.TryCreate(8, out SyscallResult noZeros);

        // The runtime needs descriptors to tell of it.
        while (taken.TryPop(out int descriptor))
        {
            Require(Close(descriptor));
        }

        return $"{ring is null && none.OutOfResources} {none.ErrorName} {half is null && noZeros.OutOfResources} {noZeros.ErrorName}";
    }

    private static string Refusal()
    {
        using HiddenReadRing? ring = HiddenReadRing.TryCreate(8, out SyscallResult refusal);
        return ring is null
            ? $"{refusal.ErrorName} {refusal.NoSuchCall} {refusal.NotPermitted} {refusal.OutOfResources}"
            : "created";
    }

    private static string Pinned(ulong limit, int bytes)
    {
        LockLimits.DropLockCapability();
        LockLimits.Limit(LockLimits.MemLock, limit);
        using HiddenReadRing ring = HiddenReadRing.TryCreate(8, out _)!;
        try
        {
            using var region = new HiddenRegion(ring, bytes);
            return "pinned";
        }
        catch (PagePoolException refused)
        {
            return "refused: " + refused.Message;
        }
    }

    private static string Lost(string target, Action<HiddenReadRing, nint> use)
    {
        HiddenReadRing ring = HiddenReadRing.TryCreate(8, out _)!;
        var region = new HiddenRegion(ring, 4096);
        foreach (string descriptor in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            if (new FileInfo(descriptor).LinkTarget == target)
            {
                Require(Close(int.Parse(Path.GetFileName(descriptor), CultureInfo.InvariantCulture)));
            }
        }

        Console.WriteLine("ready");
        use(ring, region.Address);
        return "survived";
    }

    private static ulong Instruction(ushort code, byte jumpTrue, byte jumpFalse, uint value) =>
        code | ((ulong)jumpTrue << 16) | ((ulong)jumpFalse << 24) | ((ulong)value << 32);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static void Require(int result)
    {
        if (result != 0)
        {
            throw new InvalidOperationException($"errno {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Prctl(int option, nint first, nint second, nint third, nint fourth);

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    // struct sock_fprog.
    private struct FilterProgram
    {
        public ushort Length;
        public ulong* Filter;
    }

    // include/uapi/linux/prctl.h and seccomp.h.
    private const int NoNewPrivileges = 38;
    private const int SetSeccomp = 22;
    private const int FilterMode = 2;
}
