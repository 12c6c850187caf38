using System.Runtime.InteropServices;
using Aead.Pages;

namespace PageFault;

internal static unsafe partial class Cases
{
    public static readonly Dictionary<string, Action<PagePool>> ByName = new()
    {
        ["read-exposed"] = pool => Read(Exposed(pool).Address),
        ["read-hidden"] = pool =>
        {
            DecryptStage stage = pool.CreateStage();
            stage.Hidden.Fill(Plaintext);
            Read(stage.ReaderAddress);
        },
        ["read-freed"] = pool =>
        {
            (ExposedPages lease, nint address) = Exposed(pool);
            lease.Dispose();
            Read(address);
        },
        ["read-over-run"] = pool => Read(Exposed(pool).Address + PagePool.SlotBytes),
        ["read-under-run"] = pool => Read(Exposed(pool).Address - 1),
        ["write-exposed"] = pool => Write(Exposed(pool).Address),
        ["write-hidden-over-run"] = pool =>
        {
            fixed (byte* hidden = pool.CreateStage().Hidden)
            {
                Write((nint)hidden + PagePool.SlotBytes);
            }
        },
        ["write-hidden-under-run"] = pool =>
        {
            fixed (byte* hidden = pool.CreateStage().Hidden)
            {
                Write((nint)hidden - 1);
            }
        },
        ["hide-refused"] = _ =>
        {
            PageMap map = PageMap.Create(slotCount: 1, PagePool.SlotBytes);
            var slot = new StageSlot(map, 0);
            slot.Expose();
            if (Unmap(slot.ReaderAddress, PagePool.SlotBytes) != 0)
            {
                throw new InvalidOperationException("munmap");
            }

            Console.WriteLine(Ready);
            slot.Hide();
        },
    };

    private static (ExposedPages Lease, nint Address) Exposed(PagePool pool)
    {
        DecryptStage stage = pool.CreateStage();
        stage.Hidden.Fill(Plaintext);
        ExposedPages lease = stage.Expose(stage.Capacity, stage.Capacity)!;
        fixed (byte* start = lease.GetSpan())
        {
            return (lease, (nint)start);
        }
    }

    private static void Read(nint address)
    {
        Console.WriteLine(Ready);
        Console.WriteLine($"read {Volatile.Read(ref *(byte*)address)}");
    }

    private static void Write(nint address)
    {
        Console.WriteLine(Ready);
        Volatile.Write(ref *(byte*)address, 0);
    }

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    // Tells a death at the touch from one on the way to it.
    private const string Ready = "ready";
    private const byte Plaintext = 0xA5;
}
