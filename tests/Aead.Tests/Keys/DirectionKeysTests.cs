using Aead.Algorithms;
using Aead.Keys;
using Aead.Tests.Vectors;
using Xunit;

namespace Aead.Tests.Keys;

public sealed class DirectionKeysTests
{
    public static TheoryData<string> Suites13 => Names(TlsVersion.Tls13);

    public static TheoryData<string> Suites12 => Names(TlsVersion.Tls12);

    public static TheoryData<string> Sources =>
        [.. VectorFile.Read("rfc8448.txt").Select(vector => vector.Text("source"))];

    [Theory]
    [MemberData(nameof(Sources))]
    public void FromTrafficSecret_Rfc8448_GivesItsKeyAndIv(string source)
    {
        VectorFile vector = VectorFile.Read("rfc8448.txt").Single(vector => vector.Text("source") == source);
        CipherSuite suite = CipherSuite.Find(vector.Text("suite"))!;

        using DirectionKeys keys = DirectionKeys.FromTrafficSecret(suite, vector.Bytes("secret"));

        Assert.Equal(vector.Bytes("key"), keys.Key.ToArray());
        Assert.Equal(vector.Bytes("iv"), keys.Iv.ToArray());
        Assert.Equal(0UL, keys.SequenceNumber);
    }

    [Theory]
    [MemberData(nameof(Suites13))]
    public void FromTrafficSecret_ZeroesTheCallersArray(string name)
    {
        byte[] secret = RecordKeys.Secret(CipherSuite.Find(name)!, seed: 1);
        using DirectionKeys keys = DirectionKeys.FromTrafficSecret(CipherSuite.Find(name)!, secret);
        Assert.All(secret, value => Assert.Equal(0, value));
    }

    [Theory]
    [MemberData(nameof(Suites13))]
    public void Update_ManyTimes_FollowsTheChainOfSecrets(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        byte[] secret = RecordKeys.Secret(suite, seed: 2);
        using DirectionKeys keys = DirectionKeys.FromTrafficSecret(suite, [.. secret]);
        for (int generation = 1; generation <= 10; generation++)
        {
            keys.TakeSequenceNumber();
            keys.Update();
            secret = OracleKeys.NextSecret(suite, secret);
            (byte[] key, byte[] iv) = OracleKeys.KeyAndIv(suite, secret);

            Assert.Equal(key, keys.Key.ToArray());
            Assert.Equal(iv, keys.Iv.ToArray());
            Assert.Equal(0UL, keys.SequenceNumber);
        }
    }

    [Theory]
    [MemberData(nameof(Suites12))]
    public void FromKeyBlock_KeepsWhatItWasGiven(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        byte[] key = RecordKeys.Bytes(suite.Aead.KeyLength, seed: 3);
        byte[] iv = RecordKeys.Bytes(suite.IvLength, seed: 4);

        using DirectionKeys keys = DirectionKeys.FromKeyBlock(suite, key, iv, 7);

        Assert.Equal(key, keys.Key.ToArray());
        Assert.Equal(iv, keys.Iv.ToArray());
        Assert.Equal(7UL, keys.SequenceNumber);
        Assert.Throws<InvalidOperationException>(keys.Update);
    }

    [Theory]
    [MemberData(nameof(Suites12))]
    public void FromKeyBlock_WrongLengthOrVersion_Throws(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        byte[] key = new byte[suite.Aead.KeyLength];
        byte[] iv = new byte[suite.IvLength];
        Assert.Throws<ArgumentException>(() => DirectionKeys.FromKeyBlock(suite, key.AsSpan(1), iv, 0));
        Assert.Throws<ArgumentException>(() => DirectionKeys.FromKeyBlock(suite, key, iv.AsSpan(1), 0));
        Assert.Throws<ArgumentException>(() => DirectionKeys.FromKeyBlock(CipherSuite.All[0], key, iv, 0));
    }

    [Theory]
    [MemberData(nameof(Suites13))]
    public void FromTrafficSecret_WrongLengthOrVersion_Throws(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        byte[] secret = RecordKeys.Secret(suite, seed: 5);
        Assert.Throws<ArgumentException>(() => DirectionKeys.FromTrafficSecret(suite, secret[1..]));
        Assert.Throws<ArgumentException>(() => DirectionKeys.FromTrafficSecret(CipherSuite.All[^1], secret));
    }

    [Theory]
    [MemberData(nameof(Suites13))]
    public void Dispose_ZeroesEverySpanTakenBefore(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        DirectionKeys keys = DirectionKeys.FromTrafficSecret(suite, RecordKeys.Secret(suite, seed: 6));
        ReadOnlySpan<byte> key = keys.Key;
        ReadOnlySpan<byte> iv = keys.Iv;

        keys.Dispose();

        Assert.False(key.ContainsAnyExcept((byte)0));
        Assert.False(iv.ContainsAnyExcept((byte)0));
        Assert.Throws<ObjectDisposedException>(() => keys.Key.Length);
        Assert.Throws<ObjectDisposedException>(() => keys.Iv.Length);
        Assert.Throws<ObjectDisposedException>(() => keys.SequenceNumber);
        Assert.Throws<ObjectDisposedException>(keys.Update);
        Assert.Throws<ObjectDisposedException>(keys.Move);
        keys.Dispose();
    }

    [Theory]
    [MemberData(nameof(Suites13))]
    public void Move_LeavesTheFormerOwnerWithNothing(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        DirectionKeys former = DirectionKeys.FromTrafficSecret(suite, RecordKeys.Secret(suite, seed: 7));
        byte[] key = former.Key.ToArray();
        former.TakeSequenceNumber();

        using DirectionKeys owner = former.Move();
        former.Dispose();

        Assert.Throws<ObjectDisposedException>(() => former.Key.Length);
        Assert.Equal(key, owner.Key.ToArray());
        Assert.Equal(1UL, owner.SequenceNumber);
    }

    [Theory]
    [MemberData(nameof(Suites13))]
    public void MoveKeyToAead_ZeroesTheKeyUntilTheNextUpdate(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using DirectionKeys keys = DirectionKeys.FromTrafficSecret(suite, RecordKeys.Secret(suite, seed: 8));
        ReadOnlySpan<byte> key = keys.Key;

        using IAead aead = keys.MoveKeyToAead();

        Assert.False(key.ContainsAnyExcept((byte)0));
        InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => keys.Key.Length);
        Assert.Contains("moved into an AEAD", refused.Message, StringComparison.Ordinal);
        keys.Update();
        Assert.True(keys.Key.ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void TakeSequenceNumber_AtTheLastNumber_ThrowsInsteadOfWrapping()
    {
        CipherSuite suite = CipherSuite.All.First(suite => suite.Version == TlsVersion.Tls12);
        using DirectionKeys keys = RecordKeys.Create(suite, seed: 9, sequenceNumber: ulong.MaxValue - 1);

        Assert.Equal(ulong.MaxValue - 1, keys.TakeSequenceNumber());
        Assert.Throws<OverflowException>(() => keys.TakeSequenceNumber());
        Assert.Equal(ulong.MaxValue, keys.SequenceNumber);
    }

    private static TheoryData<string> Names(TlsVersion version) =>
        [.. CipherSuite.All.Where(suite => suite.Version == version).Select(suite => suite.Name)];
}
