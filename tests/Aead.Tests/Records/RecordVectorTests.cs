using Aead.Keys;
using Aead.Pages;
using Aead.Records;
using Aead.Tests.Vectors;
using Xunit;

namespace Aead.Tests.Records;

/// <summary>
/// RFC 8448 §3: the records of a real connection, from the traffic secret to the bytes on the wire and back.
/// </summary>
public sealed class RecordVectorTests
{
    public static TheoryData<string> Sources =>
        [.. VectorFile.Read("rfc8448.txt").Select(vector => vector.Text("source"))];

    [Theory]
    [MemberData(nameof(Sources))]
    public void Encrypt_Rfc8448_GivesItsRecords(string source)
    {
        VectorFile vector = Find(source);
        using var encryptor = new RecordEncryptor(Keys(vector));
        IEnumerable<byte[]> records = Contents(vector)
            .Select(content => RecordWriter.Write(encryptor, content.Type, content.Content));

        Assert.Equal(vector.AllBytes("record"), records);
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Decrypt_Rfc8448_GivesItsContents(string source)
    {
        VectorFile vector = Find(source);
        using var stage = new TestStage(Delivery.Flip);
        using var decryptor = new RecordDecryptor(Keys(vector));
        var reader = new RecordReader(decryptor, stage.Stage);

        reader.Feed([.. vector.AllBytes("record").SelectMany(record => record)]);

        Assert.Null(reader.Alert);
        Assert.Equal(Stretch.Comparable(Contents(vector)), Stretch.Comparable(reader.Received));
    }

    private static VectorFile Find(string source) =>
        VectorFile.Read("rfc8448.txt").Single(vector => vector.Text("source") == source);

    private static DirectionKeys Keys(VectorFile vector) =>
        DirectionKeys.FromTrafficSecret(CipherSuite.Find(vector.Text("suite"))!, vector.Bytes("secret"));

    private static IEnumerable<Stretch> Contents(VectorFile vector) => vector.AllBytes("type")
        .Zip(vector.AllBytes("content"), (type, content) => new Stretch((ContentType)type[0], content));
}
