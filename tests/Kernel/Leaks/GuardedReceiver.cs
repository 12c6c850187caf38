using Aead;
using Aead.Keys;
using Aead.Pages;
using Ktls.Kernel;
using Ktls.Tests.ReceivePath;
using Ktls.Transport;
using TestKit.Pages;
using Xunit;

namespace Kernel.Tests.Leaks;

/// <summary>
/// What a loop of the proxy receives with, without the loop, and a look at its pages at every step between the kernel and the consumer: before
/// the read is submitted, when it has completed, before and after what did not verify is zeroed.
/// </summary>
internal sealed class GuardedReceiver : IDisposable
{
    private readonly SeamRing _ring;
    private readonly bool _watchesSeams;
    private readonly ReceiveScratch _scratch;
    private readonly HiddenReceive _hidden;

    /// <param name="delivery">Copy: TLS 1.3 as copies the kernel has verified.</param>
    /// <param name="watchesSeams">False: somebody else watches, and looking would only slow this down.</param>
    public GuardedReceiver(Delivery delivery, bool watchesSeams = true)
    {
        _watchesSeams = watchesSeams;
        Pool = PagePool.Create(new PagePolicy { Delivery = delivery, BytesMax = 4 << 20 }, stages: 1);
        _scratch = new ReceiveScratch(Pool.CreateStage());

        // It is made without being cleared, and other tests leave their bytes behind.
        Scratch.AsSpan().Clear();
        HiddenReadRing ring = HiddenReadRing.TryCreate(readsMax: 4, out SyscallResult refusal)
            ?? throw new InvalidOperationException($"io_uring: {refusal.ErrorName}");
        _ring = new SeamRing(ring, watchesSeams);
        _hidden = new HiddenReceive(_ring, PinnedPages.Create(Pool, _ring, Slots, () => { }));
        Targets = [.. TakeSlots().Select(slot => (slot.ReaderAddress, slot.Bytes))];
    }

    public PagePool Pool { get; }

    /// <summary>Every address consumers will ever read hidden slots at.</summary>
    public IReadOnlyList<(nint Address, int Bytes)> Targets { get; }

    /// <summary>The ordinary memory that verified copies pass through.</summary>
    public byte[] Scratch => _scratch.Ciphertext;

    /// <summary>How often unverified plaintext really lay in the hidden pages: without any, nothing is shown.</summary>
    public int LeaksCovered => _ring.LeaksCovered;

    /// <summary>Reads one connection to its end; whatever its consumer gets is looked at, together with the pages it lies in.</summary>
    /// <returns>The verified bytes and how it ended.</returns>
    public (byte[] Data, ReadOutcome Last) ReceiveAll(int descriptor, CipherSuite suite)
    {
        KernelTlsSocket socket = new(descriptor);
        DirectionKeys keys = RecordSender.Keys(suite);
        Assert.False(socket.Attach().Failed);
        Assert.False(socket.Install(KernelDirection.Receive, keys).Failed);
        using KernelRecordSource source = new(socket, descriptor, keys, canUpdateKeys: false, _hidden, Pool);
        List<byte> data = [];
        DateTime deadline = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            ReadOutcome outcome = source.Read(_scratch, receive: true);
            Assert.False(_watchesSeams && ClientRecords.ShowsUnverified(Scratch), "Unverified bytes passed through ordinary memory.");
            if (outcome.Data is not { } lease)
            {
                _hidden.EndTurn();
                if (outcome.Status == ReadStatus.Data)
                {
                    // The rest is still on its way.
                    Assert.True(DateTime.UtcNow < deadline, "The sender's last record never came.");
                    Thread.Yield();
                    continue;
                }

                return ([.. data], outcome);
            }

            using (lease)
            {
                data.AddRange(lease.GetSpan());
                if (_watchesSeams)
                {
                    AssertNothingUnverifiedIsReadable();
                }
            }

            _hidden.EndTurn();
        }
    }

    public void Dispose()
    {
        Assert.Equal((Slots, 0), (_hidden.Pages.SlotsFree, _hidden.Pages.SlotsOut));
        Assert.All(Targets, target => Assert.True(PageProbe.IsHidden(target.Address, target.Bytes)));
        _hidden.Dispose();
        _scratch.Dispose();
        Pool.Dispose();
    }

    private void AssertNothingUnverifiedIsReadable()
    {
        foreach ((nint address, int bytes) in Targets)
        {
            Assert.False(ClientRecords.ShowsUnverified(PageProbe.Read(address, bytes)), "Unverified bytes are exposed.");
        }
    }

    private List<PinnedSlot> TakeSlots()
    {
        List<PinnedSlot> slots = [];
        while (_hidden.Pages.TryRent(out PinnedSlot? slot))
        {
            _ring.Slots[slot.TargetAddress] = slot;
            slots.Add(slot);
        }

        slots.ForEach(slot => _hidden.Pages.Settle(slot, 0, 0));
        return slots;
    }

    private const int Slots = 3;

    /// <summary>The real ring, with a look at each seam.</summary>
    private sealed class SeamRing(HiddenReadRing ring, bool watches) : IHiddenReads
    {
        public Dictionary<nint, PinnedSlot> Slots { get; } = [];

        public int LeaksCovered { get; private set; }

        public int ReadsMax => ring.ReadsMax;

        public void Pin(nint address, long bytes) => ring.Pin(address, bytes);

        public void Zero(nint address, int bytes)
        {
            if (!watches)
            {
                ring.Zero(address, bytes);
                return;
            }

            PinnedSlot? slot = Slots.Values.SingleOrDefault(s => s.TargetAddress <= address && address < s.TargetAddress + s.Bytes);
            AssertHidden(slot);
            LeaksCovered += slot != null && ClientRecords.ShowsUnverified(BehindTheCurtain(slot)) ? 1 : 0;
            ring.Zero(address, bytes);
            AssertHidden(slot);
            if (slot != null)
            {
                int start = (int)(address - slot.TargetAddress);
                Assert.Equal(-1, BehindTheCurtain(slot).AsSpan(start, bytes).IndexOfAnyExcept((byte)0));
            }
        }

        public void Submit(Span<HiddenRead> reads)
        {
            AssertHidden(reads);
            ring.Submit(reads);
            AssertHidden(reads);
        }

        public void Dispose() => ring.Dispose();

        private void AssertHidden(Span<HiddenRead> reads)
        {
            foreach (ref readonly HiddenRead read in watches ? reads : [])
            {
                Assert.True(PageProbe.IsHidden(read.Address, read.Length), "The kernel's own address can be read.");
                AssertHidden(Slots.GetValueOrDefault(read.Address));
            }
        }

        private static void AssertHidden(PinnedSlot? slot) =>
            Assert.True(slot == null || PageProbe.IsHidden(slot.ReaderAddress, slot.Bytes), "A slot the kernel writes to can be read.");

        // proc_pid_mem(5): a debugger's view, which page protection does not stop. Only this tells that there was something to hide.
        private static byte[] BehindTheCurtain(PinnedSlot slot)
        {
            byte[] bytes = new byte[slot.Bytes];
            using FileStream memory = new("/proc/self/mem", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            memory.Seek(slot.ReaderAddress, SeekOrigin.Begin);
            memory.ReadExactly(bytes);
            return bytes;
        }
    }
}
