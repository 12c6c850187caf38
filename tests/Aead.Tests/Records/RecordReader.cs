using Aead.Pages;
using Aead.Records;
using Xunit;

namespace Aead.Tests.Records;

/// <summary>
/// Content of one kind: neighbouring application data is one stretch, every control record its own.
/// </summary>
internal sealed record Stretch(ContentType Type, byte[] Content)
{
    public static IReadOnlyList<(ContentType, string)> Comparable(IEnumerable<Stretch> stretches)
    {
        var merged = new List<(ContentType Type, string Hex)>();
        foreach (Stretch stretch in stretches)
        {
            string hex = Convert.ToHexString(stretch.Content);
            bool isData = stretch.Type == ContentType.ApplicationData;
            if (isData && merged is [.., (ContentType.ApplicationData, _)])
            {
                merged[^1] = (stretch.Type, merged[^1].Hex + hex);
            }
            else if (hex.Length > 0)
            {
                merged.Add((stretch.Type, hex));
            }
        }

        return merged;
    }
}

/// <summary>
/// Feeds a stream to a decryptor piece by piece as a socket would, and checks every batch on the way.
/// </summary>
internal sealed class RecordReader(RecordDecryptor decryptor, DecryptStage stage)
{
    private byte[] _pending = [];

    public List<Stretch> Received { get; } = [];

    public AlertDescription? Alert { get; private set; }

    public int PendingLength => _pending.Length;

    /// <summary>Called for every control record, before the next record is decrypted.</summary>
    public Action<DecryptedBatch> OnControl { get; init; } = _ => { };

    public void Feed(ReadOnlySpan<byte> piece)
    {
        _pending = [.. _pending, .. piece];
        while (true)
        {
            DecryptedBatch batch = decryptor.Decrypt(_pending, stage);
            Take(batch);
            _pending = _pending[batch.Consumed..];
            switch (batch.End)
            {
                case BatchEnd.Control:
                    Received.Add(new Stretch(batch.ControlType, batch.Control.ToArray()));
                    OnControl(batch);
                    break;
                case BatchEnd.SlotFull:
                    Assert.True(batch.Consumed > 0, "A full slot without progress would spin for ever.");
                    break;
                case BatchEnd.Rejected:
                    Alert = batch.Alert;
                    return;
                default:
                    return;
            }
        }
    }

    private void Take(DecryptedBatch batch)
    {
        using ExposedPages? pages = batch.ApplicationData;
        int exposed = pages?.Length ?? 0;
        if (pages is not null)
        {
            Received.Add(new Stretch(ContentType.ApplicationData, pages.GetSpan().ToArray()));
            AssertRestOfSlotIsZero(pages);
        }

        Assert.Equal(-1, stage.Hidden.IndexOfAnyExcept((byte)0));
        Assert.True(exposed <= stage.Capacity);
    }

    // A slot is exposed whole, so what lies behind the verified bytes can be read too.
    private unsafe void AssertRestOfSlotIsZero(ExposedPages pages)
    {
        if (!pages.HoldsSlot)
        {
            return;
        }

        using System.Buffers.MemoryHandle pin = pages.Pin();
        ReadOnlySpan<byte> slot = new(pin.Pointer, stage.Capacity);
        Assert.False(slot[pages.Length..].ContainsAnyExcept((byte)0));
    }
}
