using Aead.Pages;
using Aead.Records;
using Aead.Tests.Keys;
using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace Aead.Tests.Records;

[Properties(Arbitrary = [typeof(RecordArbitraries)], MaxTest = 100)]
public sealed class RecordProperties : IDisposable
{
    private readonly TestStage _flip = new(Delivery.Flip);
    private readonly TestStage _copy = new(Delivery.Copy);

    public void Dispose()
    {
        _flip.Dispose();
        _copy.Dispose();
    }

    [Property]
    public void DecryptUndoesEncryptForAnyPiecesOfTheStream(
        CipherSuite suite, Delivery delivery, Message[] messages, NonNegativeInt seed)
    {
        var random = new Random(seed.Get);
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed.Get, 1));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed.Get, 1));
        var reader = new RecordReader(decryptor, Stage(delivery));
        List<Stretch> sent = [.. messages.Select((message, i) => new Stretch(message.Type, message.Content(i)))];
        byte[] stream = [.. sent.SelectMany(stretch => RecordWriter.Write(encryptor, stretch.Type, stretch.Content))];

        for (int start = 0; start < stream.Length;)
        {
            int length = Math.Min(random.Next(3) switch { 0 => 1 + random.Next(20), 1 => 1 + random.Next(2000), _ => 20000 },
                stream.Length - start);
            reader.Feed(stream.AsSpan(start, length));
            start += length;
        }

        Assert.Null(reader.Alert);
        Assert.Equal(0, reader.PendingLength);
        Assert.Equal(Stretch.Comparable(sent), Stretch.Comparable(reader.Received));
    }

    [Property]
    public void RecordsOfTheOracleAreRead(CipherSuite suite, Delivery delivery, Message[] messages, NonNegativeInt seed)
    {
        OracleRecords oracle = OracleRecords.Create(suite, seed.Get, 1 - Tls13Start(suite));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed.Get, 1));
        var reader = new RecordReader(decryptor, Stage(delivery));
        List<Stretch> sent = [.. messages.Select((message, i) => new Stretch(message.Type, message.Content(i)))];

        // Any explicit nonce is the sender's choice in TLS 1.2, so the oracle's do not follow the sequence.
        reader.Feed([.. sent.SelectMany((stretch, i) =>
            oracle.Encrypt(stretch.Type, stretch.Content, messages[i].Padding, explicitNonce: ulong.MaxValue - (ulong)i))]);

        Assert.Null(reader.Alert);
        Assert.Equal(Stretch.Comparable(sent), Stretch.Comparable(reader.Received));
    }

    [Property]
    public void TheOracleReadsOurRecords(CipherSuite suite, Message[] messages, NonNegativeInt seed)
    {
        OracleRecords oracle = OracleRecords.Create(suite, seed.Get, 1 - Tls13Start(suite));
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed.Get, 1));
        for (int i = 0; i < messages.Length; i++)
        {
            byte[] content = messages[i].Content(i);
            (ContentType Type, byte[] Content)? read =
                oracle.Decrypt(RecordWriter.Write(encryptor, messages[i].Type, content));

            Assert.NotNull(read);
            Assert.Equal(messages[i].Type, read.Value.Type);
            Assert.Equal(content, read.Value.Content);
        }
    }

    [Property]
    public void OurRecordsAreTheOraclesByteForByte(CipherSuite suite, Message[] messages, NonNegativeInt seed)
    {
        ulong start = suite.Version == TlsVersion.Tls13 ? 0 : (ulong)seed.Get << 20;
        OracleRecords oracle = OracleRecords.Create(suite, seed.Get, start);
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed.Get, Math.Min(start, 1 << 24)));
        if (start > 1 << 24)
        {
            oracle = OracleRecords.Create(suite, seed.Get, 1 << 24);
        }

        for (int i = 0; i < messages.Length; i++)
        {
            byte[] content = messages[i].Content(i);
            Assert.Equal(
                oracle.Encrypt(messages[i].Type, content), RecordWriter.Write(encryptor, messages[i].Type, content));
        }
    }

    private DecryptStage Stage(Delivery delivery) => (delivery == Delivery.Flip ? _flip : _copy).Stage;

    private static ulong Tls13Start(CipherSuite suite) => suite.Version == TlsVersion.Tls13 ? 1UL : 0;
}
