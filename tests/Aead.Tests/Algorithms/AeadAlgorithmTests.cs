using Aead.Algorithms;
using Xunit;

namespace Aead.Tests.Algorithms;

public sealed class AeadAlgorithmTests
{
    public static TheoryData<string> Suites => [.. CipherSuite.All.Select(suite => suite.Name)];

    [Theory]
    [MemberData(nameof(Suites))]
    public void Create_KeyOfAnotherLength_Throws(string name)
    {
        AeadAlgorithm algorithm = CipherSuite.Find(name)!.Aead;
        Assert.Throws<ArgumentException>(() => algorithm.Create(new byte[algorithm.KeyLength - 1]));
        Assert.Throws<ArgumentException>(() => algorithm.Create(new byte[algorithm.KeyLength + 1]));
        Assert.Throws<ArgumentException>(() => algorithm.Create([]));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Create_KeyZeroedAfterwards_StillEncryptsUnderTheOriginal(string name)
    {
        AeadAlgorithm algorithm = CipherSuite.Find(name)!.Aead;
        byte[] key = [.. Enumerable.Range(1, algorithm.KeyLength).Select(value => (byte)value)];
        using IAead reference = algorithm.Create(key);
        using IAead aead = algorithm.Create(key);
        Array.Clear(key);

        Assert.Equal(Tag(reference), Tag(aead));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Encrypt_AfterDispose_Throws(string name)
    {
        AeadAlgorithm algorithm = CipherSuite.Find(name)!.Aead;
        IAead aead = algorithm.Create(new byte[algorithm.KeyLength]);
        aead.Dispose();

        Assert.Throws<ObjectDisposedException>(() => Tag(aead));
    }

    private static byte[] Tag(IAead aead)
    {
        byte[] tag = new byte[AeadAlgorithm.TagLength];
        aead.Encrypt(new byte[AeadAlgorithm.NonceLength], [], [], [], tag);
        return tag;
    }
}
