using Aead.Algorithms;
using FsCheck;
using TestKit;
using Xunit;

namespace Aead.Tests.Algorithms;

/// <summary>
/// One context, keyed once, for many records of all lengths in both directions, good and bad, in place and not: nothing of a record is left in it
/// for the next. The oracle is .NET's own way to the library; what is compared with other implementations are the records (OracleRecords).
/// </summary>
public sealed class EvpAeadProperties
{
    [Cases(200)]
    public void Records_on_one_context_are_those_of_a_fresh_one(NonNegativeInt seed)
    {
        Random random = new(seed.Get);
        foreach (AeadAlgorithm algorithm in PlatformAead.Rows)
        {
            byte[] key = Bytes(random, algorithm.KeyLength);
            using IAead aead = algorithm.Create(key);
            for (int record = 0; record < Records; record++)
            {
                using PlatformAead oracle = new(algorithm, key);
                Exchange(random, aead, oracle);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(100_000)]
    public void Associated_data_has_any_length(int length)
    {
        Random random = new(length);
        foreach (AeadAlgorithm algorithm in PlatformAead.Rows)
        {
            byte[] key = Bytes(random, algorithm.KeyLength);
            byte[] nonce = Bytes(random, AeadAlgorithm.NonceLength);
            byte[] associated = Bytes(random, length);
            using IAead aead = algorithm.Create(key);
            using PlatformAead oracle = new(algorithm, key);
            foreach (byte[] plaintext in new[] { [], Bytes(random, 30) })
            {
                byte[] text = [.. plaintext];
                byte[] tag = new byte[AeadAlgorithm.TagLength];
                aead.Encrypt(nonce, associated, text, text, tag);
                (byte[] ciphertext, byte[] expectedTag) = oracle.Encrypt(nonce, associated, plaintext);
                Assert.Equal(ciphertext, text);
                Assert.Equal(expectedTag, tag);
                Assert.True(aead.TryDecrypt(nonce, associated, text, tag, text));
                Assert.Equal(plaintext, text);
            }
        }
    }

    private static void Exchange(Random random, IAead aead, PlatformAead oracle)
    {
        byte[] nonce = Bytes(random, AeadAlgorithm.NonceLength);
        byte[] associated = Bytes(random, random.Next(4) == 0 ? random.Next(200) : random.Next(2) == 0 ? 5 : 13);
        byte[] plaintext = Bytes(random, random.Next(3) switch { 0 => random.Next(40), 1 => random.Next(1500), _ => random.Next(16_386) });
        (byte[] ciphertext, byte[] tag) = oracle.Encrypt(nonce, associated, plaintext);
        bool inPlace = random.Next(2) == 0;
        switch (random.Next(3))
        {
            case 0:
                byte[] source = [.. plaintext];
                byte[] encrypted = inPlace ? source : new byte[plaintext.Length];
                byte[] madeTag = new byte[AeadAlgorithm.TagLength];
                aead.Encrypt(nonce, associated, source, encrypted, madeTag);
                Assert.Equal(ciphertext, encrypted);
                Assert.Equal(tag, madeTag);
                break;
            case 1:
                byte[] decrypted = inPlace ? ciphertext : new byte[plaintext.Length];
                Assert.True(aead.TryDecrypt(nonce, associated, ciphertext, tag, decrypted));
                Assert.Equal(plaintext, decrypted);
                break;
            default:
                tag[random.Next(tag.Length)] ^= (byte)(1 << random.Next(8));
                byte[] refused = inPlace ? ciphertext : Bytes(random, plaintext.Length);
                Assert.False(aead.TryDecrypt(nonce, associated, ciphertext, tag, refused));
                Assert.Equal(new byte[plaintext.Length], refused);
                break;
        }
    }

    private static byte[] Bytes(Random random, int count)
    {
        byte[] bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private const int Records = 20;
}
