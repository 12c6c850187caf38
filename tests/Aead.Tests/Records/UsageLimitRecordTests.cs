using Aead.Algorithms;
using Aead.Records;
using Aead.Tests.Keys;
using Xunit;

namespace Aead.Tests.Records;

/// <summary>The limits of the rows, as encryptor and decryptor obey them.</summary>
[Trait("Claim", "C10")]
public sealed class UsageLimitRecordTests : IDisposable
{
    private readonly TestStage _stage = new();

    public static TheoryData<string> Suites => [.. CipherSuite.All.Select(suite => suite.Name)];

    public static TheoryData<string> Suites12 =>
        [.. CipherSuite.All.Where(suite => suite.Version == TlsVersion.Tls12).Select(suite => suite.Name)];

    public void Dispose() => _stage.Dispose();

    [Theory]
    [MemberData(nameof(Suites12))]
    public void Tls12_AtTheRowsLimit_OnlyTwoAlertsMoreAreEncryptedAndRead(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        ulong start = suite.Aead.Limit.CloseRecords - 1;
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed: 1, start));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1, start));
        var reader = new RecordReader(decryptor, _stage.Stage);

        Assert.Equal(UsageAction.None, encryptor.Usage);
        reader.Feed(RecordWriter.Write(encryptor, ContentType.ApplicationData, [1]));
        AssertOnlyTwoAlerts(encryptor, decryptor, reader);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void AnyRow_CountsRecordsFromItsThresholds(string name)
    {
        CipherSuite suite = SeamSuites.WithLimit(CipherSuite.Find(name)!, new UsageLimit(5, 9));
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed: 1, 0));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1, 0));
        var reader = new RecordReader(decryptor, _stage.Stage);
        for (int records = 0; records < 9; records++)
        {
            bool update = records >= 5 && suite.Version == TlsVersion.Tls13;
            UsageAction expected = update ? UsageAction.UpdateKeys : UsageAction.None;
            Assert.Equal((expected, expected), (encryptor.Usage, decryptor.Usage));
            reader.Feed(RecordWriter.Write(encryptor, ContentType.ApplicationData, [1]));
        }

        AssertOnlyTwoAlerts(encryptor, decryptor, reader);
    }

    [Fact]
    public void Tls13_UpdateKeys_StartsTheCountAnew()
    {
        CipherSuite suite = SeamSuites.WithLimit(CipherSuite.All[0], new UsageLimit(5, 9));
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed: 1));
        for (int records = 0; records < 11; records++)
        {
            RecordWriter.Write(encryptor, ContentType.Alert, [1, 0]);
        }

        encryptor.UpdateKeys();

        Assert.Equal(UsageAction.None, encryptor.Usage);
        RecordWriter.Write(encryptor, ContentType.ApplicationData, [1]);
    }

    [Theory]
    [MemberData(nameof(Suites12))]
    public void Decrypt_RecordBeyondTheLimit_IsRefusedEvenIfAuthentic(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        ulong beyond = suite.Aead.Limit.CloseRecords + UsageLimit.AlertRecords;
        OracleRecords oracle = OracleRecords.Create(suite, seed: 1, beyond - 1);
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1, beyond - 1));
        var reader = new RecordReader(decryptor, _stage.Stage);

        reader.Feed(oracle.Encrypt(ContentType.ApplicationData, [1]));
        Assert.Null(reader.Alert);
        reader.Feed(oracle.Encrypt(ContentType.ApplicationData, [2]));

        Assert.Equal(AlertDescription.InternalError, reader.Alert);
        Assert.Equal([1], reader.Received.SelectMany(stretch => stretch.Content));
    }

    private static void AssertOnlyTwoAlerts(
        RecordEncryptor encryptor, RecordDecryptor decryptor, RecordReader reader)
    {
        Assert.Equal((UsageAction.Close, UsageAction.Close), (encryptor.Usage, decryptor.Usage));
        for (int i = 0; i < UsageLimit.AlertRecords; i++)
        {
            Assert.Throws<InvalidOperationException>(() => Write(ContentType.ApplicationData));
            Assert.Throws<InvalidOperationException>(() => Write(ContentType.Handshake));
            reader.Feed(Write(ContentType.Alert));
            Assert.Equal(ContentType.Alert, reader.Received[^1].Type);
        }

        Assert.Throws<InvalidOperationException>(() => Write(ContentType.Alert));
        Assert.Null(reader.Alert);

        byte[] Write(ContentType type) => RecordWriter.Write(encryptor, type, [1, 0]);
    }
}
