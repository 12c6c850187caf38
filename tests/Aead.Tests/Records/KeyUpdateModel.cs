using Aead.Records;
using Aead.Tests.Keys;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using TestKit;
using Xunit;

namespace Aead.Tests.Records;

/// <summary>What can happen in one direction of a TLS 1.3 connection.</summary>
public enum KeyUpdateStep
{
    Send,
    UpdateKeys,
    Deliver,
}

/// <summary>
/// The model is a chain of secrets by the oracle and a count of records since the last KeyUpdate. The writer
/// updates as it likes; the reader follows when the KeyUpdate arrives, however many generations the writer is
/// ahead by then.
/// </summary>
[Properties(Arbitrary = [typeof(KeyUpdateModel)])]
public sealed class KeyUpdateModel : IDisposable
{
    private static readonly byte[] KeyUpdate = [24, 0, 0, 1, 0];

    private readonly TestStage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Cases(500)]
    public void RecordsUnderTheFormerKeyAreRejected(CipherSuite suite, NonNegativeInt seed)
    {
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed.Get));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed.Get));
        var reader = new RecordReader(decryptor, _stage.Stage) { OnControl = _ => decryptor.UpdateKeys() };

        reader.Feed([
            .. RecordWriter.Write(encryptor, ContentType.Handshake, KeyUpdate),
            .. RecordWriter.Write(encryptor, ContentType.ApplicationData, [1])]);

        Assert.Equal(AlertDescription.BadRecordMac, reader.Alert);
        Assert.Equal(ContentType.Handshake, Assert.Single(reader.Received).Type);
    }

    [Cases(500)]
    public void WriterReaderAndModelAgreeInEveryOrderOfSteps(
        CipherSuite suite, KeyUpdateStep[] steps, NonNegativeInt seed)
    {
        byte[] secret = RecordKeys.Secret(suite, seed.Get);
        OracleRecords model = Oracle(suite, secret);
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed.Get));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed.Get));
        var reader = new RecordReader(decryptor, _stage.Stage) { OnControl = _ => decryptor.UpdateKeys() };
        var sent = new List<Stretch>();
        var wire = new List<byte>();
        foreach (KeyUpdateStep step in steps.Append(KeyUpdateStep.Deliver))
        {
            switch (step)
            {
                case KeyUpdateStep.Send:
                    Send(new Stretch(ContentType.ApplicationData, [(byte)sent.Count]));
                    break;
                case KeyUpdateStep.UpdateKeys:
                    Send(new Stretch(ContentType.Handshake, KeyUpdate));
                    encryptor.UpdateKeys();
                    secret = OracleKeys.NextSecret(suite, secret);
                    model = Oracle(suite, secret);
                    break;
                default:
                    reader.Feed([.. wire]);
                    wire.Clear();
                    break;
            }
        }

        Assert.Null(reader.Alert);
        Assert.Equal(Stretch.Comparable(sent), Stretch.Comparable(reader.Received));

        void Send(Stretch stretch)
        {
            byte[] record = RecordWriter.Write(encryptor, stretch.Type, stretch.Content);
            Assert.Equal(model.Encrypt(stretch.Type, stretch.Content), record);
            wire.AddRange(record);
            sent.Add(stretch);
        }
    }

    public static Arbitrary<KeyUpdateStep> Steps() =>
        Gen.Elements(Enum.GetValues<KeyUpdateStep>()).ToArbitrary();

    public static Arbitrary<CipherSuite> Suites() =>
        Gen.Elements(CipherSuite.All.Where(suite => suite.Version == TlsVersion.Tls13)).ToArbitrary();

    private static OracleRecords Oracle(CipherSuite suite, byte[] secret)
    {
        (byte[] key, byte[] iv) = OracleKeys.KeyAndIv(suite, secret);
        return new OracleRecords(suite, key, iv, sequenceNumber: 0);
    }
}
