using Aead.Pages;
using Aead.Records;
using Aead.Tests.Keys;
using FsCheck;
using FsCheck.Xunit;
using TestKit;
using Xunit;

namespace Aead.Tests.Records;

/// <summary>
/// An attacker on the wire. Whatever is done to a record, what is exposed is what came before it, and nothing
/// else stays behind:
/// <see cref="RecordReader"/> checks the hidden slot and the exposed page's tail after every batch.
/// </summary>
[Properties(Arbitrary = [typeof(RecordArbitraries)])]
[Trait("Claim", "I1")]
[Trait("Claim", "I3")]
[Trait("Claim", "C1")]
public sealed class ForgeryProperties : IDisposable
{
    private const int Good = 3;

    private readonly TestStage _flip = new(Delivery.Flip);
    private readonly TestStage _copy = new(Delivery.Copy);

    public void Dispose()
    {
        _flip.Dispose();
        _copy.Dispose();
    }

    [Cases(1_000)]
    public void AnyFlippedBitIsRejected(
        CipherSuite suite, Delivery delivery, Message message, NonNegativeInt seed)
    {
        List<byte[]> records = Records(suite, message, seed.Get);
        int bit = new Random(seed.Get).Next(records[Good].Length * 8);
        records[Good][bit / 8] ^= (byte)(1 << (bit % 8));

        AssertOnlyGoodPrefix(suite, delivery, message, seed.Get, records, fragmentMayGrow: bit / 8 is 3 or 4);
    }

    [Cases(40)]
    public void AnyFlippedBitOfAHeaderIsRejected(CipherSuite suite, Delivery delivery, Message message)
    {
        for (int bit = 0; bit < RecordHeader.Length * 8; bit++)
        {
            List<byte[]> records = Records(suite, message, bit);
            records[Good][bit / 8] ^= (byte)(1 << (bit % 8));
            AssertOnlyGoodPrefix(suite, delivery, message, bit, records, fragmentMayGrow: bit >= 24);
        }
    }

    [Cases(1_000)]
    public void AnyTruncationThatKeepsTheFramingIsRejected(
        CipherSuite suite, Delivery delivery, Message message, NonNegativeInt seed)
    {
        List<byte[]> records = Records(suite, message, seed.Get);
        byte[] whole = records[Good];
        int length = RecordHeader.Length + new Random(seed.Get).Next(whole.Length - RecordHeader.Length);
        byte[] cut = whole[..length];
        cut[3] = (byte)((length - RecordHeader.Length) >> 8);
        cut[4] = (byte)(length - RecordHeader.Length);
        records[Good] = cut;

        AssertOnlyGoodPrefix(suite, delivery, message, seed.Get, records);
    }

    [Cases(1_000)]
    public void ATruncatedStreamShowsNothingOfItsLastRecord(
        CipherSuite suite, Delivery delivery, Message message, NonNegativeInt seed)
    {
        List<byte[]> records = Records(suite, message, seed.Get);
        int cut = new Random(seed.Get).Next(records[Good].Length);
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed.Get));
        var reader = new RecordReader(decryptor, Stage(delivery));

        reader.Feed([.. records.Take(Good).SelectMany(record => record), .. records[Good][..cut]]);

        Assert.Null(reader.Alert);
        Assert.Equal(cut, reader.PendingLength);
        Assert.Equal(GoodPrefix(message), Stretch.Comparable(reader.Received));
    }

    [Cases(1_000)]
    public void AReplayedRecordIsRejected(
        CipherSuite suite, Delivery delivery, Message message, NonNegativeInt seed)
    {
        List<byte[]> records = Records(suite, message, seed.Get);
        records[Good] = records[seed.Get % Good];
        AssertOnlyGoodPrefix(suite, delivery, message, seed.Get, records);
    }

    [Cases(1_000)]
    public void SwappedRecordsAreRejected(
        CipherSuite suite, Delivery delivery, Message message, NonNegativeInt seed)
    {
        List<byte[]> records = Records(suite, message, seed.Get);
        (records[Good], records[Good + 1]) = (records[Good + 1], records[Good]);
        AssertOnlyGoodPrefix(suite, delivery, message, seed.Get, records);
    }

    [Cases(1_000)]
    public void ADroppedRecordIsNoticedAtTheNext(
        CipherSuite suite, Delivery delivery, Message message, NonNegativeInt seed)
    {
        List<byte[]> records = Records(suite, message, seed.Get);
        records.RemoveAt(Good);
        AssertOnlyGoodPrefix(suite, delivery, message, seed.Get, records);
    }

    [Cases(1_000)]
    public void ARecordOfTheOtherDirectionIsRejected(
        CipherSuite suite, Delivery delivery, Message message, NonNegativeInt seed)
    {
        List<byte[]> records = Records(suite, message, seed.Get);
        records[Good] = Records(suite, message, seed.Get ^ 1)[Good];
        AssertOnlyGoodPrefix(suite, delivery, message, seed.Get, records);
    }

    // Good + 2 records: the prefix, the one under attack, the one behind it.
    private static List<byte[]> Records(CipherSuite suite, Message message, int seed)
    {
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed));
        return [.. Enumerable.Range(0, Good + 2)
            .Select(i => RecordWriter.Write(encryptor, message.Type, message.Content(i)))];
    }

    private void AssertOnlyGoodPrefix(CipherSuite suite, Delivery delivery, Message message, int seed,
        List<byte[]> records, bool fragmentMayGrow = false)
    {
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed));
        var reader = new RecordReader(decryptor, Stage(delivery));

        reader.Feed([.. records.SelectMany(record => record)]);

        Assert.Equal(GoodPrefix(message), Stretch.Comparable(reader.Received));
        if (reader.Alert is null)
        {
            // A longer length in the header only makes us wait for more; any more will do.
            Assert.True(fragmentMayGrow);
            reader.Feed(new byte[1 << 16]);
            Assert.Equal(GoodPrefix(message), Stretch.Comparable(reader.Received));
        }

        Assert.NotNull(reader.Alert);
        DecryptedBatch again = decryptor.Decrypt(records[Good], Stage(delivery));
        Assert.Equal((BatchEnd.Rejected, 0, reader.Alert), (again.End, again.Consumed, again.Alert));
        Assert.Null(again.ApplicationData);
    }

    private static IReadOnlyList<(ContentType, string)> GoodPrefix(Message message) => Stretch.Comparable(
        Enumerable.Range(0, Good).Select(i => new Stretch(message.Type, message.Content(i))));

    private DecryptStage Stage(Delivery delivery) => (delivery == Delivery.Flip ? _flip : _copy).Stage;
}
