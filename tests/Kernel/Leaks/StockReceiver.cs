using System.Runtime.InteropServices;
using Aead;
using Ktls.Kernel;
using Tmds.Linux;
using Xunit;

namespace Kernel.Tests.Leaks;

/// <summary>What everybody else does: an ordinary recv on a kTLS socket into ordinary memory.</summary>
internal sealed unsafe class StockReceiver : IDisposable
{
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(Bytes, 4096);

    public StockReceiver() => Memory.Clear();

    public nint Address => (nint)_memory;

    public Span<byte> Memory => new(_memory, Bytes);

    /// <summary>One recv, when all that was sent has arrived.</summary>
    /// <param name="sender">Its connection has not been received from yet.</param>
    /// <param name="suite">Its keys are the sender's.</param>
    /// <returns>Bytes, or the negative errno.</returns>
    public int ReceiveOnce(RecordSender sender, CipherSuite suite)
    {
        sender.AwaitArrival();
        int descriptor = sender.Descriptor;
        KernelTlsSocket socket = new(descriptor);
        Assert.False(socket.Attach().Failed);
        using Aead.Keys.DirectionKeys keys = RecordSender.Keys(suite);
        Assert.False(socket.Install(KernelDirection.Receive, keys).Failed);
        int received = (int)(long)LibC.recv(descriptor, _memory, Bytes, LibC.MSG_DONTWAIT);
        return received < 0 ? -LibC.errno : received;
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    public const int Bytes = 64 << 10;
}
