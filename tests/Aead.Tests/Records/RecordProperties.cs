using Aead.Pages;
using Aead.Records;
using Aead.Tests.Keys;
using FsCheck;
using FsCheck.Xunit;
using TestKit;
using Xunit;

namespace Aead.Tests.Records;

[Properties(Arbitrary = [typeof(RecordArbitraries)])]
public sealed class RecordProperties : IDisposable
{
    private readonly TestStage _flip = new(Delivery.Flip);
    private readonly TestStage _copy = new(Delivery.Copy);

    public void Dispose()
    {
        _flip.Dispose();
        _copy.Dispose();
    }

    [Cases(1_500)]
    public void DecryptUndoesEncryptForAnyPiecesOfTheStream(
        CipherSuite suite, Delivery delivery, Message[] messages, NonNegativeInt seed)
    {
        var random = new Random(seed.Get);
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed.Get));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed.Get));
        var reader = new RecordReader(decryptor, Stage(delivery));
        List<Stretch> sent = Contents(messages);
        byte[] stream = [.. sent.SelectMany(s => RecordWriter.Write(encryptor, s.Type, s.Content))];

        for (int start = 0; start < stream.Length;)
        {
            int pieceMax = random.Next(3) switch { 0 => 20, 1 => 2000, _ => 40000 };
            int piece = 1 + random.Next(pieceMax);
            int length = Math.Min(piece, stream.Length - start);
            reader.Feed(stream.AsSpan(start, length));
            start += length;
        }

        Assert.Null(reader.Alert);
        Assert.Equal(0, reader.PendingLength);
        Assert.Equal(Stretch.Comparable(sent), Stretch.Comparable(reader.Received));
    }

    [Cases(1_500)]
    public void RecordsOfTheOracleAreRead(
        CipherSuite suite, Delivery delivery, Message[] messages, NonNegativeInt seed)
    {
        OracleRecords oracle = OracleRecords.Create(suite, seed.Get);
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed.Get));
        var reader = new RecordReader(decryptor, Stage(delivery));
        List<Stretch> sent = Contents(messages);

        // Any explicit nonce is the sender's choice in TLS 1.2, so the oracle's do not follow the sequence.
        reader.Feed([.. sent.SelectMany((s, i) =>
            oracle.Encrypt(s.Type, s.Content, messages[i].Padding, ulong.MaxValue - (ulong)i))]);

        Assert.Null(reader.Alert);
        Assert.Equal(Stretch.Comparable(sent), Stretch.Comparable(reader.Received));
    }

    [Cases(1_500)]
    public void TheOracleReadsOurRecords(CipherSuite suite, Message[] messages, NonNegativeInt seed)
    {
        OracleRecords oracle = OracleRecords.Create(suite, seed.Get);
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed.Get));
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

    [Cases(1_500)]
    public void OurRecordsAreTheOraclesByteForByte(CipherSuite suite, Message[] messages, NonNegativeInt seed)
    {
        ulong start = suite.Version == TlsVersion.Tls13 ? 0 : (ulong)seed.Get << 12;
        OracleRecords oracle = OracleRecords.Create(suite, seed.Get, start);
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed.Get, start));
        for (int i = 0; i < messages.Length; i++)
        {
            byte[] content = messages[i].Content(i);
            byte[] expected = oracle.Encrypt(messages[i].Type, content);
            Assert.Equal(expected, RecordWriter.Write(encryptor, messages[i].Type, content));
        }
    }

    private static List<Stretch> Contents(Message[] messages) =>
        [.. messages.Select((message, i) => new Stretch(message.Type, message.Content(i)))];

    private DecryptStage Stage(Delivery delivery) => (delivery == Delivery.Flip ? _flip : _copy).Stage;
}
