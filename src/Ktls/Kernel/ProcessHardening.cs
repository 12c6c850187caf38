using System.Collections.Immutable;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Ktls.Kernel;

/// <summary>
/// Keeps key material out of core files: while a connection lives its keys lie in OpenSSL's heap, where they cannot be marked one by one.
/// </summary>
public static class ProcessHardening
{
    /// <summary>
    /// Sets PR_SET_DUMPABLE to 0 (prctl(2): no core dumps, no ptrace by processes of the same user) and both limits of RLIMIT_CORE to 0.
    /// </summary>
    /// <returns>One sentence for each step the kernel refused; empty when both are in force.</returns>
    public static ImmutableArray<string> Apply()
    {
        ImmutableArray<string>.Builder refused = ImmutableArray.CreateBuilder<string>();
        if (SetDumpable(0) is { } dumpableRefusal)
        {
            refused.Add($"This process may leave a core dump that holds keys: PR_SET_DUMPABLE was refused ({dumpableRefusal}).");
        }

        if (SetCoreLimit(0) is { } limitRefusal)
        {
            refused.Add($"This process may leave a core dump that holds keys: RLIMIT_CORE was refused ({limitRefusal}). "
                + "Set it from outside: 'ulimit -c 0', or LimitCORE=0 in a systemd unit.");
        }

        if (DumpVariables.Any(name => Environment.GetEnvironmentVariable(name) is { } value && value.Trim().TrimStart('0').Length > 0))
        {
            refused.Add("This process may leave a dump that holds keys: DOTNET_DbgEnableMiniDump is set, and the runtime's own dumper, run as root, "
                + "asks nobody. Unset it.");
        }

        return refused.ToImmutable();
    }

    /// <summary>True when the kernel would still write a core dump of this process or let its user's other processes read it.</summary>
    public static bool IsDumpable => (long)LibC.syscall(Numbers.Prctl, GetDumpableOption, 0, 0, 0, 0) != 0;

    private static string? SetDumpable(int value) =>
        (long)LibC.syscall(Numbers.Prctl, SetDumpableOption, value, 0, 0, 0) == 0 ? null : LastError();

    private static unsafe string? SetCoreLimit(ulong bytes)
    {
        // struct rlimit64: the soft limit, then the hard one. Process id 0 is the caller.
        ulong* limit = stackalloc ulong[2] { bytes, bytes };
        return (long)LibC.syscall(Numbers.PrLimit64, 0, CoreResource, limit, null) == 0 ? null : LastError();
    }

    private static string LastError() => new Win32Exception(LibC.errno).Message;

    // Tmds.LibC declares neither prctl nor prlimit; its syscall() takes the number, which differs by architecture.
    private static (int Prctl, int PrLimit64) Numbers => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => (157, 302),   // arch/x86/entry/syscalls/syscall_64.tbl
        Architecture.Arm64 => (167, 261), // include/uapi/asm-generic/unistd.h
        _ => (-1, -1),                    // ENOSYS, which is reported as any refusal is
    };

    // What the runtime reads before this program runs; the second is its older name.
    private static readonly string[] DumpVariables = ["DOTNET_DbgEnableMiniDump", "COMPlus_DbgEnableMiniDump"];

    private const int GetDumpableOption = 3; // PR_GET_DUMPABLE, include/uapi/linux/prctl.h
    private const int SetDumpableOption = 4; // PR_SET_DUMPABLE, include/uapi/linux/prctl.h
    private const int CoreResource = 4;      // RLIMIT_CORE, include/uapi/asm-generic/resource.h
}
