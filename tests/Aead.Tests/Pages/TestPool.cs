using Aead.Pages;
using Xunit;

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
    internal static byte[] Bytes(int seed, int length) => Pattern.AsSpan((int)(seed * 31L % Period), length).ToArray();

    /// <summary>Equality of whole slots, which would take Assert.Equal long, with the place of the first difference.</summary>
    internal static void AssertSame(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        int same = expected.CommonPrefixLength(actual);
        if (same < expected.Length || same < actual.Length)
            Assert.Fail($"{expected.Length} bytes expected, {actual.Length} found, different from byte {same} on.");
    }

    internal static unsafe nint AddressOf(ExposedPages lease)
    {
        fixed (byte* start = lease.GetSpan())
            return (nint)start;
    }

    private const int Period = 255;

    private static readonly byte[] Pattern = [.. Enumerable.Range(0, SlotBytes + Period).Select(i => (byte)(1 + i % Period))];
}
