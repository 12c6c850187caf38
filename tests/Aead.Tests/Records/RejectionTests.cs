using Aead.Pages;
using Aead.Records;
using Aead.Tests.Keys;
using Xunit;

namespace Aead.Tests.Records;

/// <summary>
/// Which alert answers which breach of RFC 8446 §5 and RFC 5246 §6.2, behind one good record that still
/// arrives.
/// </summary>
[Trait("Claim", "C1")]
[Trait("Claim", "C3")]
public sealed class RejectionTests : IDisposable
{
    private readonly TestStage _stage = new();

    public static TheoryData<string> Suites => [.. CipherSuite.All.Select(suite => suite.Name)];

    public static TheoryData<string> Suites13 => Names(TlsVersion.Tls13);

    public static TheoryData<string> Suites12 => Names(TlsVersion.Tls12);

    public void Dispose() => _stage.Dispose();

    [Theory]
    [MemberData(nameof(Suites))]
    public void HeaderAlone_LengthLimits_AreJudgedBeforeTheFragmentArrives(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        int smallest = suite.ExplicitNonceLength + 16 + (suite.Version == TlsVersion.Tls13 ? 1 : 0);
        int largest = smallest + 16384;

        AssertHeader(suite, 23, 0x0303, smallest - 1, AlertDescription.DecodeError);
        AssertHeader(suite, 23, 0x0303, 0, AlertDescription.DecodeError);
        AssertHeader(suite, 23, 0x0303, smallest, null);
        AssertHeader(suite, 23, 0x0303, largest, null);
        AssertHeader(suite, 23, 0x0303, largest + 1, AlertDescription.RecordOverflow);
        AssertHeader(suite, 23, 0x0303, 16384 + 257, AlertDescription.RecordOverflow);
        AssertHeader(suite, 23, 0x0303, 16384 + 2049, AlertDescription.RecordOverflow);
        AssertHeader(suite, 23, 0x0303, 65535, AlertDescription.RecordOverflow);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void HeaderAlone_EveryOuterType_IsJudged(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        for (int type = 0; type <= byte.MaxValue; type++)
        {
            bool legal = type == 23 || (suite.Version == TlsVersion.Tls12 && type is 21 or 22);
            AssertHeader(suite, (byte)type, 0x0303, 100, legal ? null : AlertDescription.UnexpectedMessage);
        }
    }

    [Theory]
    [MemberData(nameof(Suites12))]
    public void HeaderAlone_Tls12OfAnotherVersion_IsProtocolVersion(string name)
    {
        foreach (ushort version in new ushort[] { 0x0300, 0x0301, 0x0302, 0x0304, 0xFEFD })
        {
            AssertHeader(CipherSuite.Find(name)!, 23, version, 100, AlertDescription.ProtocolVersion);
        }
    }

    [Theory]
    [MemberData(nameof(Suites13))]
    public void Tls13_LegacyVersionThatTheSenderAuthenticated_IsIgnored(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        byte[] record = OracleRecords.Create(suite, seed: 1).EncryptInner([1, 2, 3, 23], version: 0x0301);
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1));

        using ExposedPages pages = decryptor.Decrypt(record, _stage.Stage).ApplicationData!;

        Assert.Equal([1, 2, 3], pages.GetSpan().ToArray());
    }

    [Theory]
    [MemberData(nameof(Suites13))]
    public void Tls13_InnerPlaintext_IsJudged(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        AssertInner(suite, [0], AlertDescription.UnexpectedMessage);
        AssertInner(suite, new byte[16385], AlertDescription.UnexpectedMessage);
        AssertInner(suite, [20], AlertDescription.UnexpectedMessage);
        AssertInner(suite, [1, 20], AlertDescription.UnexpectedMessage);
        AssertInner(suite, [1, 24, 0, 0], AlertDescription.UnexpectedMessage);
        AssertInner(suite, [21], AlertDescription.UnexpectedMessage);
        AssertInner(suite, [22, 0, 0, 0], AlertDescription.UnexpectedMessage);
        AssertInner(suite, new byte[16386], AlertDescription.RecordOverflow);
        AssertInner(suite, [.. Enumerable.Repeat((byte)9, 16385), 23], AlertDescription.RecordOverflow);
    }

    [Theory]
    [MemberData(nameof(Suites13))]
    public void Tls13_LargestLegalInnerPlaintexts_AreAccepted(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        OracleRecords oracle = OracleRecords.Create(suite, seed: 1);
        byte[] full = [.. Enumerable.Repeat((byte)9, 16384), 23];
        byte[] padded = [5, 23, .. new byte[16383]];
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1));
        var reader = new RecordReader(decryptor, _stage.Stage);

        reader.Feed([.. oracle.EncryptInner(full), .. oracle.EncryptInner(padded)]);
        reader.Feed(oracle.EncryptInner([23]));

        Assert.Null(reader.Alert);
        Assert.Equal([.. full[..^1], 5], reader.Received.SelectMany(stretch => stretch.Content));
    }

    [Theory]
    [MemberData(nameof(Suites12))]
    public void Tls12_EmptyControlRecord_IsUnexpectedMessage(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        foreach (ContentType type in new[] { ContentType.Alert, ContentType.Handshake })
        {
            AssertSecond(suite, oracle => oracle.Encrypt(type, []), AlertDescription.UnexpectedMessage);
        }
    }

    [Theory]
    [MemberData(nameof(Suites12))]
    public void Tls12_ContentOver2To14_IsRecordOverflow(string name) => AssertSecond(
        CipherSuite.Find(name)!,
        oracle => oracle.Encrypt(ContentType.ApplicationData, new byte[16385]),
        AlertDescription.RecordOverflow);

    [Theory]
    [MemberData(nameof(Suites))]
    public void BadTag_IsBadRecordMac(string name) => AssertSecond(
        CipherSuite.Find(name)!,
        oracle =>
        {
            byte[] record = oracle.Encrypt(ContentType.ApplicationData, [1, 2, 3]);
            record[^1] ^= 1;
            return record;
        },
        AlertDescription.BadRecordMac);

    private void AssertInner(CipherSuite suite, byte[] inner, AlertDescription alert) =>
        AssertSecond(suite, oracle => oracle.EncryptInner(inner), alert);

    private void AssertHeader(CipherSuite suite, byte type, ushort version, int length,
        AlertDescription? alert)
    {
        byte[] header = [type, (byte)(version >> 8), (byte)version, (byte)(length >> 8), (byte)length];
        AssertSecond(suite, _ => header, alert);
    }

    private void AssertSecond(CipherSuite suite, Func<OracleRecords, byte[]> second, AlertDescription? alert)
    {
        OracleRecords oracle = OracleRecords.Create(suite, seed: 1);
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1));
        byte[] good = oracle.Encrypt(ContentType.ApplicationData, [4, 2]);
        byte[] stream = [.. good, .. second(oracle)];

        DecryptedBatch batch = decryptor.Decrypt(stream, _stage.Stage);

        using ExposedPages pages = batch.ApplicationData!;
        Assert.Equal([4, 2], pages.GetSpan().ToArray());
        Assert.Equal(good.Length, batch.Consumed);
        Assert.Equal(alert is null ? BatchEnd.NeedMoreData : BatchEnd.Rejected, batch.End);
        Assert.Equal(alert ?? default, batch.Alert);
    }

    private static TheoryData<string> Names(TlsVersion version) =>
        [.. CipherSuite.All.Where(suite => suite.Version == version).Select(suite => suite.Name)];
}
