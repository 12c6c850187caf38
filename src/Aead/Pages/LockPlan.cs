using System.Globalization;

namespace Aead.Pages;

/// <summary>
/// How many slots the pool may have and how many of them stay in memory, given what this process may lock.
/// </summary>
/// <param name="SlotsMax">The bound of the pool.</param>
/// <param name="SlotsLocked">How many of the first slots are to be locked; the others may be swapped
/// out.</param>
/// <param name="Notice">What falls short of the policy and the remedy; null when nothing does.</param>
internal sealed record LockPlan(int SlotsMax, int SlotsLocked, string? Notice)
{
    /// <summary>Weighs the policy against <paramref name="lockableBytes"/>.</summary>
    /// <exception cref="PagePoolException">The policy cannot be met.</exception>
    internal static LockPlan Make(
        PagePolicy policy, int stages, int slotBytes, long lockableBytes, string limit)
    {
        int slotsWanted = SlotsWanted(policy, stages, slotBytes);
        int lockable = (int)Math.Min(lockableBytes / slotBytes, slotsWanted);
        long needBytes = Math.Max(RequiredBytesMin, stages * (long)slotBytes);
        if (policy.Locking == Locking.Required && lockableBytes < needBytes)
        {
            throw new PagePoolException(
                $"Locked pages are required and {Size(needBytes)} are needed at least, but only " +
                $"{Size(lockableBytes)} can be locked ({limit}). {Remedy(needBytes)}");
        }

        long wantedBytes = slotsWanted * (long)slotBytes;
        if (lockable < stages)
        {
            return new LockPlan(stages, lockable,
                $"{stages - lockable} of {stages} decrypt slots are not locked and may be swapped out, and " +
                $"no batch is flipped: only {Size(lockableBytes)} can be locked ({limit}). " +
                Remedy(wantedBytes));
        }

        return lockable == slotsWanted
            ? new LockPlan(slotsWanted, slotsWanted, Notice: null)
            : new LockPlan(lockable, lockable,
                $"Guarded slots are bounded to {Size(lockable * (long)slotBytes)} instead of " +
                $"{Size(wantedBytes)}: no more can be locked ({limit}). {Remedy(wantedBytes)}");
    }

    /// <summary>
    /// What the probe has to look for: the slots the policy has use for, or what Required insists on.
    /// </summary>
    internal static long BytesWanted(PagePolicy policy, int stages, int slotBytes) =>
        Math.Max(SlotsWanted(policy, stages, slotBytes) * (long)slotBytes, RequiredBytesMin);

    /// <summary>
    /// The largest multiple of <paramref name="slotBytes"/> up to <paramref name="wantedBytes"/> that can be
    /// locked now.
    /// </summary>
    internal static long LockableBytes(long wantedBytes, int slotBytes)
    {
        long fits = 0;
        long tooMany = wantedBytes / slotBytes + 1;
        // Asked of the kernel and not computed from the limit: CAP_IPC_LOCK lifts it, what is locked already
        // counts, and user namespaces make both hard to tell. The whole amount is tried first, for that is
        // the usual answer.
        for (long next = tooMany - 1; next > fits; next = fits + (tooMany - fits) / 2)
        {
            if (PageMap.CanLock((ulong)(next * slotBytes)))
            {
                fits = next;
            }
            else
            {
                tooMany = next;
            }
        }

        return fits * slotBytes;
    }

    /// <summary>RLIMIT_MEMLOCK as words for a message.</summary>
    internal static string LimitInForce()
    {
        // proc_pid_limits(5): name, soft limit, hard limit, unit; in columns.
        string? line = File.ReadLines("/proc/self/limits")
            .FirstOrDefault(line => line.StartsWith(LimitName, StringComparison.Ordinal));
        string[]? columns = line?[LimitName.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string soft = columns is [string first, ..] ? first : "unknown";
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)
            ? $"RLIMIT_MEMLOCK is {Size(bytes)}"
            : $"RLIMIT_MEMLOCK is {soft}";
    }

    private static int SlotsWanted(PagePolicy policy, int stages, int slotBytes)
    {
        // A policy that never flips has no use for a slot beyond the stages' own.
        if (!policy.Flips(slotBytes))
        {
            return stages;
        }

        return (int)Math.Min(policy.BytesMax / slotBytes, int.MaxValue);
    }

    /// <summary>How to let this process lock or pin so much.</summary>
    internal static string Remedy(long bytes)
    {
        long mebibytes = (bytes + (1L << 20) - 1) >> 20;
        return string.Create(CultureInfo.InvariantCulture,
            $"Raise it with LimitMEMLOCK={mebibytes}M (systemd unit), ulimit -l {mebibytes << 10} (shell), " +
            $"--ulimit memlock={mebibytes << 20} (container), or grant CAP_IPC_LOCK.");
    }

    /// <summary>Bytes as words for a message.</summary>
    internal static string Size(long bytes) => bytes >= 1L << 20 && bytes % (1L << 20) == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes >> 10} KiB");

    private const string LimitName = "Max locked memory";

    // Sixteen slots: below it a few stages leave nothing to flip, and a locked pool would be one in name
    // only.
    private const long RequiredBytesMin = 4L << 20;
}
