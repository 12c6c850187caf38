using Aead.Algorithms;
using Aead.Keys;
using Aead.Records;
using Aead.Tests.Keys;
using Xunit;

namespace Aead.Tests.Records;

public sealed class RecordEncryptorTests
{
    public static TheoryData<string> Suites => [.. CipherSuite.All.Select(suite => suite.Name)];

    [Theory]
    [MemberData(nameof(Suites))]
    public void PrefixAndSuffix_AreTheLengthsOfTheRfcs(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using var encryptor = Create(suite);
        bool gcm12 = suite.Version == TlsVersion.Tls12 && suite.Aead != AeadAlgorithm.ChaCha20Poly1305;

        Assert.Equal(gcm12 ? 13 : 5, encryptor.PrefixLength);
        Assert.Equal(suite.Version == TlsVersion.Tls13 ? 17 : 16, encryptor.SuffixLength);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Encrypt_InALargerBuffer_TouchesNothingBehindTheRecord(string name)
    {
        using var encryptor = Create(CipherSuite.Find(name)!);
        byte[] buffer = new byte[1000];
        Array.Fill(buffer, (byte)0xEE);

        int length = encryptor.Encrypt(ContentType.ApplicationData, buffer, 100);

        Assert.Equal(encryptor.PrefixLength + 100 + encryptor.SuffixLength, length);
        Assert.Equal(length - RecordHeader.Length, RecordHeader.Read(buffer).FragmentLength);
        Assert.False(buffer.AsSpan(length).ContainsAnyExcept((byte)0xEE));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Encrypt_WrongArguments_ThrowAndSpendNoNumber(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using var encryptor = Create(suite);
        byte[] buffer = new byte[RecordHeader.PlaintextLengthMax + 100];
        byte[] small = new byte[encryptor.PrefixLength + encryptor.SuffixLength + 9];

        Refuses("ChangeCipherSpec are never protected", ContentType.ChangeCipherSpec, buffer, 1);
        Refuses("24 are never protected", (ContentType)24, buffer, 1);
        Refuses("Alert may not be empty", ContentType.Alert, buffer, 0);
        Refuses("Handshake may not be empty", ContentType.Handshake, buffer, 0);
        Refuses($"bytes of buffer, not {small.Length}", ContentType.ApplicationData, small, 10);
        foreach (int length in new[] { -1, RecordHeader.PlaintextLengthMax + 1, int.MaxValue })
        {
            Assert.Throws<ArgumentOutOfRangeException>(
                () => encryptor.Encrypt(ContentType.ApplicationData, buffer, length));
        }

        byte[] record = RecordWriter.Write(encryptor, ContentType.ApplicationData, [1, 2, 3]);
        OracleRecords oracle = OracleRecords.Create(suite, seed: 1);
        Assert.Equal(oracle.Encrypt(ContentType.ApplicationData, [1, 2, 3]), record);

        void Refuses(string why, ContentType type, byte[] where, int length) => Assert.Contains(
            why, Assert.Throws<ArgumentException>(() => encryptor.Encrypt(type, where, length)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Constructor_TakesTheKeysOver(string name)
    {
        DirectionKeys keys = RecordKeys.Create(CipherSuite.Find(name)!, seed: 1);
        using var encryptor = new RecordEncryptor(keys);

        Assert.Throws<ObjectDisposedException>(() => new RecordEncryptor(keys));
        keys.Dispose();
        RecordWriter.Write(encryptor, ContentType.ApplicationData, [1]);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Encrypt_AfterDispose_Throws(string name)
    {
        var encryptor = Create(CipherSuite.Find(name)!);
        encryptor.Dispose();
        encryptor.Dispose();

        Assert.Throws<ObjectDisposedException>(
            () => encryptor.Encrypt(ContentType.ApplicationData, new byte[100], 1));
        Assert.Throws<ObjectDisposedException>(() => encryptor.Usage);
    }

    [Fact]
    public void UpdateKeys_Tls12_Throws()
    {
        using var encryptor = Create(CipherSuite.All.First(suite => suite.Version == TlsVersion.Tls12));
        Assert.Throws<InvalidOperationException>(encryptor.UpdateKeys);
    }

    private static RecordEncryptor Create(CipherSuite suite) => new(RecordKeys.Create(suite, seed: 1));
}
