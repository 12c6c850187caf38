using System.Security.Cryptography;
using Aead.Algorithms;
using Aead.Keys;
using Aead.Pages;
using Aead.Records;
using Aead.Tests.Keys;
using TestKit.Records;
using Xunit;

namespace Aead.Tests.Records;

public sealed class RecordDecryptorTests : IDisposable
{
    private readonly TestStage _stage = new();

    public static TheoryData<string> Suites => [.. CipherSuite.All.Select(suite => suite.Name)];

    public void Dispose() => _stage.Dispose();

    [Theory]
    [MemberData(nameof(Suites))]
    public void Decrypt_ManyRecords_ExposesThemOnceAndTogether(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed: 1));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1));
        byte[] stream = [.. Enumerable.Range(0, 10)
            .SelectMany(i => RecordWriter.Write(encryptor, ContentType.ApplicationData, [(byte)i, (byte)i]))];

        DecryptedBatch batch = decryptor.Decrypt([.. stream, 23, 3], _stage.Stage);

        using ExposedPages pages = batch.ApplicationData!;
        byte[] expected = [.. Enumerable.Range(0, 10).SelectMany(i => new[] { (byte)i, (byte)i })];
        Assert.Equal(expected, pages.GetSpan().ToArray());
        Assert.Equal((BatchEnd.NeedMoreData, stream.Length), (batch.End, batch.Consumed));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Decrypt_ControlBetweenData_EndsTheBatchBehindIt(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed: 1));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1));
        byte[] data = RecordWriter.Write(encryptor, ContentType.ApplicationData, [7]);
        byte[] alert = RecordWriter.Write(encryptor, ContentType.Alert, [1, 0]);
        byte[] more = RecordWriter.Write(encryptor, ContentType.ApplicationData, [8]);

        DecryptedBatch batch = decryptor.Decrypt([.. data, .. alert, .. more], _stage.Stage);

        using ExposedPages pages = batch.ApplicationData!;
        Assert.Equal([7], pages.GetSpan().ToArray());
        Assert.Equal((BatchEnd.Control, ContentType.Alert), (batch.End, batch.ControlType));
        Assert.Equal([1, 0], batch.Control.ToArray());
        Assert.Equal(data.Length + alert.Length, batch.Consumed);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Decrypt_MoreThanASlot_StopsBetweenRecords(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed: 1));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1));
        int count = (_stage.Stage.Capacity / RecordHeader.PlaintextLengthMax) + 1;
        byte[] content = RecordKeys.Bytes(RecordHeader.PlaintextLengthMax, seed: 2);
        byte[] stream = [.. Enumerable.Range(0, count)
            .SelectMany(_ => RecordWriter.Write(encryptor, ContentType.ApplicationData, content))];

        DecryptedBatch first = decryptor.Decrypt(stream, _stage.Stage);
        using ExposedPages pages = first.ApplicationData!;

        // Or else a record could come for which an empty slot is full, for ever.
        Assert.InRange(stream.Length / count, 1, _stage.Stage.Capacity);
        Assert.Equal(BatchEnd.SlotFull, first.End);
        Assert.Equal(0, first.Consumed % (stream.Length / count));
        Assert.Equal(0, pages.Length % content.Length);
        DecryptedBatch second = decryptor.Decrypt(stream.AsSpan(first.Consumed), _stage.Stage);
        using ExposedPages rest = second.ApplicationData!;
        Assert.Equal(count * content.Length, pages.Length + rest.Length);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Decrypt_ThirtyTwoEmptyRecords_AreLegalAndOneMoreIsNot(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed: 1));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1));
        AssertThirtyTwoEmpty();
        AssertEnd(BatchEnd.NeedMoreData, RecordWriter.Write(encryptor, ContentType.ApplicationData, [1]));
        AssertThirtyTwoEmpty();
        AssertEnd(BatchEnd.Control, RecordWriter.Write(encryptor, ContentType.Alert, [1, 0]));
        AssertThirtyTwoEmpty();

        byte[] last = RecordWriter.Write(encryptor, ContentType.ApplicationData, []);
        Assert.Equal(AlertDescription.UnexpectedMessage, AssertEnd(BatchEnd.Rejected, last).Alert);

        void AssertThirtyTwoEmpty()
        {
            for (int i = 0; i < 32; i++)
            {
                AssertEnd(BatchEnd.NeedMoreData, RecordWriter.Write(encryptor, ContentType.ApplicationData, []));
            }
        }

        DecryptedBatch AssertEnd(BatchEnd expected, byte[] record)
        {
            DecryptedBatch batch = decryptor.Decrypt(record, _stage.Stage);
            batch.ApplicationData?.Dispose();
            Assert.Equal(expected, batch.End);
            return batch;
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Constructor_TakesTheKeysOver_AndDisposeEndsUse(string name)
    {
        DirectionKeys keys = RecordKeys.Create(CipherSuite.Find(name)!, seed: 1);
        var decryptor = new RecordDecryptor(keys);
        Assert.Throws<ObjectDisposedException>(() => new RecordDecryptor(keys));

        decryptor.Dispose();
        decryptor.Dispose();

        Assert.Throws<ObjectDisposedException>(() => decryptor.Decrypt([], _stage.Stage));
        Assert.Throws<ObjectDisposedException>(() => decryptor.Usage);
    }

    [Theory]
    [InlineData(Delivery.Flip)]
    [InlineData(Delivery.Copy)]
    public void Decrypt_AeadThrows_ZeroesTheSlotAndNeverGoesOn(Delivery delivery)
    {
        using var stage = new TestStage(delivery);
        using RecordDecryptor decryptor = CreateDisturbed(throws: true, out byte[] stream);

        Assert.Throws<CryptographicException>(() => decryptor.Decrypt(stream, stage.Stage));

        Assert.False(stage.Stage.Hidden.ContainsAnyExcept((byte)0));
        Assert.Equal(0, stage.CopyBytesInUse);
        DecryptedBatch after = decryptor.Decrypt(stream, stage.Stage);
        Assert.Equal((BatchEnd.Rejected, AlertDescription.InternalError), (after.End, after.Alert));
    }

    [Theory]
    [InlineData(Delivery.Flip)]
    [InlineData(Delivery.Copy)]
    public void Decrypt_AeadLeavesForgedPlaintextBehind_StillShowsNoneOfIt(Delivery delivery)
    {
        using var stage = new TestStage(delivery);
        using RecordDecryptor decryptor = CreateDisturbed(throws: false, out byte[] stream);
        var reader = new RecordReader(decryptor, stage.Stage);

        reader.Feed(stream);

        Assert.Equal(AlertDescription.BadRecordMac, reader.Alert);
        Assert.Equal([1, 2, 3], Assert.Single(reader.Received).Content);
    }

    [Fact]
    public void Decrypt_PaddingToBeCopied_HoldsNoMoreThanItsContentNeeds()
    {
        using var stage = new TestStage(Delivery.Copy);
        CipherSuite suite = CipherSuite.All.First(suite => suite.Version == TlsVersion.Tls13);
        OracleRecords sender = OracleRecords.Create(suite, seed: 1);
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1));
        byte[] stream = [.. Enumerable.Range(0, 8)
            .SelectMany(i => sender.Encrypt(ContentType.ApplicationData, [(byte)i], padding: 16_000))];

        using ExposedPages pages = decryptor.Decrypt(stream, stage.Stage).ApplicationData!;

        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], pages.GetSpan().ToArray());
        Assert.Equal(512, stage.CopyBytesInUse);
    }

    // Two records: one that arrives, and one at which the AEAD misbehaves.
    private static RecordDecryptor CreateDisturbed(bool throws, out byte[] stream)
    {
        CipherSuite real = CipherSuite.All[0];
        using var encryptor = new RecordEncryptor(RecordKeys.Create(real, seed: 1));
        stream = [
            .. RecordWriter.Write(encryptor, ContentType.ApplicationData, [1, 2, 3]),
            .. RecordWriter.Write(encryptor, ContentType.ApplicationData, [4, 5, 6, 7])];
        CipherSuite suite = SeamSuites.WithAead(real, inner => new SecondTimeBadAead(inner, throws));
        return new RecordDecryptor(RecordKeys.Create(suite, seed: 1));
    }

    private sealed class SecondTimeBadAead(IAead inner, bool throws) : ForwardingAead(inner)
    {
        private bool _usedOnce;

        public override bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
            ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
        {
            if (!_usedOnce)
            {
                _usedOnce = true;
                return base.TryDecrypt(nonce, associatedData, ciphertext, tag, plaintext);
            }

            plaintext.Fill(0xEE);
            return throws ? throw new CryptographicException("The library failed halfway.") : false;
        }
    }
}
