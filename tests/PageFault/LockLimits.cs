using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Aead.Pages;

namespace PageFault;

// Runs the pool as an unprivileged process with a low RLIMIT_MEMLOCK would: the limit is set and CAP_IPC_LOCK
// dropped in here, so that the test says the same whoever runs it.
internal static unsafe partial class LockLimits
{
    /// <summary>
    /// status MEMLOCK_BYTES LOCKING STAGES: the status as JSON, or the refusal after "refused: ".
    /// </summary>
    public static string StatusUnder(string[] args)
    {
        DropLockCapability();
        ulong limit = ulong.Parse(args[1], CultureInfo.InvariantCulture);
        Limit(MemLock, limit);

        var policy = new PagePolicy { Delivery = Delivery.Flip, Locking = Enum.Parse<Locking>(args[2]) };
        int stages = int.Parse(args[3], CultureInfo.InvariantCulture);
        try
        {
            using PagePool pool = PagePool.Create(policy, stages);
            return JsonSerializer.Serialize(pool.Status);
        }
        catch (PagePoolException refused)
        {
            return "refused: " + refused.Message;
        }
    }

    /// <summary>Sets both limits of a resource.</summary>
    public static void Limit(int resource, ulong value)
    {
        var rlimit = new ResourceLimit { Soft = value, Hard = value };
        Require(SetResourceLimit(resource, &rlimit));
    }

    /// <summary>Root, too, has limits from here on.</summary>
    public static void DropLockCapability()
    {
        var header = new CapabilityHeader { Version = CapabilityVersion3 };
        Capabilities* words = stackalloc Capabilities[2];
        Require(GetCapabilities(&header, words));
        words[0].Effective &= ~(1u << CapabilityIpcLock);
        words[0].Permitted &= ~(1u << CapabilityIpcLock);
        Require(SetCapabilities(&header, words));
    }

    private static void Require(int result)
    {
        if (result != 0)
        {
            throw new InvalidOperationException($"errno {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetResourceLimit(int resource, ResourceLimit* limit);

    [LibraryImport("libc", EntryPoint = "capget", SetLastError = true)]
    private static partial int GetCapabilities(CapabilityHeader* header, Capabilities* words);

    [LibraryImport("libc", EntryPoint = "capset", SetLastError = true)]
    private static partial int SetCapabilities(CapabilityHeader* header, Capabilities* words);

    // include/uapi/asm-generic/resource.h: RLIMIT_MEMLOCK, RLIMIT_NOFILE.
    public const int MemLock = 8;
    public const int Descriptors = 7;

    // include/uapi/linux/capability.h: CAP_IPC_LOCK, _LINUX_CAPABILITY_VERSION_3.
    private const int CapabilityIpcLock = 14;
    private const uint CapabilityVersion3 = 0x20080522;

    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }

    private struct CapabilityHeader
    {
        public uint Version;
        public int ProcessId;
    }

    // struct __user_cap_data_struct: the inheritable word stays as the kernel gave it.
    [StructLayout(LayoutKind.Sequential, Size = 12)]
    private struct Capabilities
    {
        public uint Effective;
        public uint Permitted;
    }
}
