using Aead.Pages;

namespace Aead.Tests.Pages;

/// <summary>Small pools, and batches that tell where their bytes came from.</summary>
internal static class TestPool
{
    internal const int SlotBytes = PagePool.SlotBytes;

    /// <summary>One stage, and as many slots as are left to flip.</summary>
    internal static PagePool Create(Delivery delivery, int slotsToFlip = 4, int stages = 1, int flipThreshold = 1)
    {
        long bytesMax = (slotsToFlip + stages) * (long)SlotBytes;
        var policy = new PagePolicy { Delivery = delivery, FlipThreshold = flipThreshold, BytesMax = bytesMax };
        return PagePool.Create(policy, stages, lockableBytes: bytesMax);
    }

    /// <summary>Writes a batch the way a decryptor does, and exposes its first <paramref name="verified"/> bytes.</summary>
    internal static ExposedPages? Fill(this DecryptStage stage, int seed, int verified, int written)
    {
        Bytes(seed, written).CopyTo(stage.Hidden);
        return stage.Expose(verified, written);
    }

    internal static ExposedPages Fill(this DecryptStage stage, int seed, int length) => stage.Fill(seed, length, length)!;

    /// <summary>Non-zero bytes, so that none is mistaken for a zeroed one.</summary>
    internal static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = (byte)(1 + (seed * 31 + i) % 255);
        return bytes;
    }

    internal static unsafe nint AddressOf(ExposedPages lease)
    {
        fixed (byte* start = lease.GetSpan())
            return (nint)start;
    }
}
