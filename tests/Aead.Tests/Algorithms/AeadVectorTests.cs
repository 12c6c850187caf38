using Aead.Algorithms;
using Aead.Tests.Vectors;
using Xunit;

namespace Aead.Tests.Algorithms;

public sealed class AeadVectorTests
{
    public static TheoryData<string> Sources =>
        [.. VectorFile.Read("aead.txt").Select(vector => vector.Text("source"))];

    [Theory]
    [MemberData(nameof(Sources))]
    public void Encrypt_PublishedCase_GivesThePublishedCiphertextAndTag(string source)
    {
        VectorFile vector = Find(source);
        using IAead aead = Create(vector);
        byte[] ciphertext = vector.Bytes("plaintext");
        byte[] tag = new byte[AeadAlgorithm.TagLength];

        aead.Encrypt(vector.Bytes("nonce"), vector.Bytes("associated_data"), ciphertext, ciphertext, tag);

        Assert.Equal(vector.Bytes("ciphertext"), ciphertext);
        Assert.Equal(vector.Bytes("tag"), tag);
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void TryDecrypt_PublishedCase_GivesThePublishedPlaintext(string source)
    {
        VectorFile vector = Find(source);
        using IAead aead = Create(vector);
        byte[] text = vector.Bytes("ciphertext");

        bool verified = aead.TryDecrypt(
            vector.Bytes("nonce"), vector.Bytes("associated_data"), text, vector.Bytes("tag"), text);

        Assert.True(verified);
        Assert.Equal(vector.Bytes("plaintext"), text);
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void TryDecrypt_AnyTagByteChanged_IsFalseAndLeavesZeros(string source)
    {
        VectorFile vector = Find(source);
        using IAead aead = Create(vector);
        for (int index = 0; index < AeadAlgorithm.TagLength; index++)
        {
            byte[] tag = vector.Bytes("tag");
            tag[index] ^= 0x80;
            byte[] text = vector.Bytes("ciphertext");

            bool verified = aead.TryDecrypt(
                vector.Bytes("nonce"), vector.Bytes("associated_data"), text, tag, text);

            Assert.False(verified);
            Assert.All(text, value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public void Rows_HaveAtLeastOnePublishedCaseEach()
    {
        IEnumerable<string> covered = VectorFile.Read("aead.txt").Select(vector => vector.Text("algorithm"));
        Assert.Subset(covered.ToHashSet(), CipherSuite.All.Select(suite => suite.Aead.Name).ToHashSet());
    }

    private static VectorFile Find(string source) =>
        VectorFile.Read("aead.txt").Single(vector => vector.Text("source") == source);

    private static IAead Create(VectorFile vector) => CipherSuite.All
        .Select(suite => suite.Aead)
        .First(algorithm => algorithm.Name == vector.Text("algorithm"))
        .Create(vector.Bytes("key"));
}
