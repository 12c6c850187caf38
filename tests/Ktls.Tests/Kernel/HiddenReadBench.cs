using Ktls.Kernel;
using Ktls.Tests.Transport;
using TestKit.Pages;

namespace Ktls.Tests.Kernel;

/// <summary>A ring, slots that only it can write, and connections that read into them.</summary>
internal sealed class HiddenReadBench : IDisposable
{
    private readonly List<SocketPair> _pairs = [];

    /// <param name="cancels">Makes the ring work as on a kernel whose sockets refuse RWF_NOWAIT, by showing it a file that does.</param>
    /// <param name="slots">Also what one submit takes.</param>
    public HiddenReadBench(bool cancels = false, int slots = 4)
    {
        Ring = HiddenReadRing.TryCreate(slots, out SyscallResult refusal)
            ?? throw new InvalidOperationException($"No ring: {refusal.ErrorName}");
        Region = new HiddenRegion(Ring, slots * SlotBytes);
        if (cancels)
        {
            using FileStream file = File.OpenRead("/proc/self/stat");
            Submit(new HiddenRead { Descriptor = (int)file.SafeFileHandle.DangerousGetHandle(), Address = Region.Address, Length = 1 });
        }
    }

    public HiddenReadRing Ring { get; }

    public HiddenRegion Region { get; }

    public SocketPair Connect()
    {
        _pairs.Add(new SocketPair());
        return _pairs[^1];
    }

    public HiddenRead Read(SocketPair pair, int slot = 0, int length = SlotBytes) =>
        new() { Descriptor = pair.Descriptor, Address = Region.Address + slot * SlotBytes, Length = length };

    public SyscallResult[] Submit(params HiddenRead[] reads)
    {
        Ring.Submit(reads);
        return [.. reads.Select(r => r.Result)];
    }

    /// <summary>Fills the front of the region with bytes of this value.</summary>
    public void Fill(byte value, int bytes)
    {
        SocketPair pair = Connect();
        // No more on its way than any socket's buffers hold, for one thread does both ends.
        byte[] sent = new byte[16 << 10];
        sent.AsSpan().Fill(value);
        for (int filled = 0; filled < bytes;)
        {
            int count = pair.Peer.Send(sent, 0, Math.Min(sent.Length, bytes - filled), System.Net.Sockets.SocketFlags.None);
            for (int end = filled + count; filled < end;)
            {
                HiddenRead read = new() { Descriptor = pair.Descriptor, Address = Region.Address + filled, Length = end - filled };
                SyscallResult result = Submit(read)[0];
                filled += result.WouldBlock ? 0 : result.Value;
            }
        }
    }

    public byte[] Slot(int slot, int length) => Region.Peek(slot * SlotBytes, length);

    public void Dispose()
    {
        _pairs.ForEach(p => p.Dispose());
        Ring.Dispose();
        Region.Dispose();
    }

    public const int SlotBytes = 64 << 10;
}
