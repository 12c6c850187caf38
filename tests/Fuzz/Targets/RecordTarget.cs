using Aead;
using Aead.Pages;
using Aead.Records;
using Aead.Tests.Keys;
using Aead.Tests.Records;
using Xunit;

namespace Fuzz.Targets;

/// <summary>Record headers and the record decryptor, by a stream that is partly sealed with the real keys.</summary>
internal sealed class RecordTarget : IFuzzTarget
{
    private readonly Lazy<TestStage> _flip = new(() => new TestStage(Delivery.Flip));
    private readonly Lazy<TestStage> _copy = new(() => new TestStage(Delivery.Copy));

    public string Name => "record";

    public string Oracle =>
        "What is exposed is what was sealed, up to the first byte that somebody changed, and then comes the one alert (or the wait) that the "
        + "RFCs demand; the hidden slot is zero after every batch, and so is the rest of every exposed page.";

    public void Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        int choice = reader.Byte();
        int pieces = 1 + (reader.Byte() % PiecesMax);
        CipherSuite suite = CipherSuite.All[choice % CipherSuite.All.Length];
        var script = new RecordScript(suite, ref reader);
        var model = new RecordModel(suite, script);

        DecryptStage stage = (choice < 128 ? _flip : _copy).Value.Stage;
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, RecordScript.Seed));
        var receiver = new RecordReader(decryptor, stage) { OnControl = batch => FollowKeys(suite, decryptor, batch) };
        Feed(receiver, script.Wire, pieces);

        Assert.Equal(Stretch.Comparable(model.Expected), Stretch.Comparable(receiver.Received));
        Assert.Equal(model.Alert, receiver.Alert);
        if (model.Alert is { } alert)
        {
            AssertFinal(decryptor, stage, alert, script);
        }
        else
        {
            Assert.Equal(model.PendingLength, receiver.PendingLength);
        }
    }

    public IEnumerable<(string Name, byte[] Input)> Seeds()
    {
        byte[] data = [1, 23, 0, 5, .. "hello"u8];
        byte[] padded = [1, 23, 9, 5, .. "hello"u8];
        for (byte suite = 0; suite < CipherSuite.All.Length; suite++)
        {
            yield return ($"data-{suite}", [suite, 3, .. data, .. padded, 2, 23, 0x40, 0, 0xAA]);
        }

        yield return ("copied", [128, 0, .. data, 2, 23, 0x40, 0, 0xAA, .. data]);
        yield return ("close-notify", [0, 0, .. data, 1, 21, 0, 2, 1, 0]);
        yield return ("key-update", [0, 1, 3, 1, .. data, 3, 0, .. data]);
        yield return ("key-update-of-tls12", [(byte)(CipherSuite.All.Length - 1), 1, 3, 1, .. data]);
        yield return ("empty-records", [1, 0, 4, 31, .. data, 4, 35, .. data]);
        yield return ("empty-control", [0, 0, 1, 21, 0, 0]);
        yield return ("only-padding", [0, 0, .. data, 1, 0, 200, 0]);
        yield return ("unknown-type", [0, 0, 1, 20, 0, 1, 1]);
        yield return ("too-long", [0, 0, 2, 23, 0x40, 1, 1]);
        yield return ("flipped-bit", [0, 0, .. data, .. data, 5, 0, 0, 9, .. data]);
        yield return ("dropped", [2, 0, .. data, .. data, 5, 1, 0, 0, .. data]);
        yield return ("replayed", [0, 2, .. data, .. data, 5, 2, 0, 0]);
        yield return ("cut", [0, 0, .. data, .. data, 5, 3, 0, 11, .. data]);
        yield return ("swapped", [0, 0, .. data, .. padded, 5, 4, 0, 0]);
        yield return ("forged", [0, 0, .. data, 0, 25, 23, 3, 3, 0, 20, .. new byte[20]]);
        yield return ("forged-header", [7, 0, .. data, 0, 5, 24, 3, 3, 0, 20]);
        yield return ("many", [0, 15, .. Enumerable.Repeat(data, 40).SelectMany(step => step)]);
    }

    private static void Feed(RecordReader receiver, ReadOnlySpan<byte> wire, int pieces)
    {
        int length = Math.Max(1, (wire.Length + pieces - 1) / pieces);
        while (!wire.IsEmpty && receiver.Alert is null)
        {
            receiver.Feed(wire[..Math.Min(length, wire.Length)]);
            wire = wire[Math.Min(length, wire.Length)..];
        }
    }

    private static void FollowKeys(CipherSuite suite, RecordDecryptor decryptor, in DecryptedBatch batch)
    {
        if (suite.Version == TlsVersion.Tls13 && batch.ControlType == ContentType.Handshake
            && batch.Control.Span is [24, 0, 0, 1, 0 or 1])
        {
            decryptor.UpdateKeys();
        }
    }

    private static void AssertFinal(RecordDecryptor decryptor, DecryptStage stage, AlertDescription alert, RecordScript script)
    {
        DecryptedBatch again = decryptor.Decrypt(script.Sealed.Count > 0 ? script.Sealed[^1].Wire : [], stage);
        Assert.Equal(BatchEnd.Rejected, again.End);
        Assert.Equal(alert, again.Alert);
        Assert.Null(again.ApplicationData);
        Assert.Equal(0, again.Consumed);
    }

    private const int PiecesMax = 16;
}
