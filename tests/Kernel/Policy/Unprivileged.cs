using System.Runtime.ExceptionServices;
using Tmds.Linux;

namespace Kernel.Tests.Policy;

/// <summary>
/// Runs code as an ordinary user. Credentials belong to threads as far as the kernel is concerned, and only the C library keeps those of a
/// process alike; so one thread gives up its own for good, and is not used for anything else.
/// </summary>
internal static class Unprivileged
{
    public static T Run<T>(Func<T> code)
    {
        T result = default!;
        ExceptionDispatchInfo? fault = null;
        Thread thread = new(() =>
        {
            try
            {
                if ((long)LibC.syscall(SetResUid, Nobody, Nobody, Nobody) != 0)
                {
                    throw new InvalidOperationException($"setresuid failed with errno {LibC.errno}.");
                }

                result = code();
            }
            catch (Exception e)
            {
                fault = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        fault?.Throw();
        return result;
    }

    // x86-64 alone: the kernels of these tests are.
    private const int SetResUid = 117;
    private const int Nobody = 65534;
}

/// <summary>RLIMIT_MEMLOCK of this process, lowered until this is disposed. It does not bind root.</summary>
internal sealed unsafe class LowMemlock : IDisposable
{
    private readonly ulong _before;
    private readonly ulong _hard;

    public LowMemlock(ulong bytes)
    {
        ulong* old = stackalloc ulong[2];
        Check((long)LibC.syscall(PrLimit64, 0, MemlockResource, null, old));
        (_before, _hard) = (old[0], old[1]);
        Set(bytes);
    }

    public void Dispose() => Set(_before);

    private void Set(ulong bytes)
    {
        ulong* limit = stackalloc ulong[2] { bytes, _hard };
        Check((long)LibC.syscall(PrLimit64, 0, MemlockResource, limit, null));
    }

    private static void Check(long result)
    {
        if (result != 0)
        {
            throw new InvalidOperationException($"prlimit failed with errno {LibC.errno}.");
        }
    }

    private const int PrLimit64 = 302;
    private const int MemlockResource = 8;
}
