using Aead.Algorithms;
using Aead.Records;
using Aead.Tests.Keys;
using FsCheck;
using FsCheck.Xunit;
using TestKit;
using TestKit.Records;
using Xunit;

namespace Aead.Tests.Records;

[Properties(Arbitrary = [typeof(RecordArbitraries)])]
[Trait("Claim", "C10")]
public sealed class NonceProperties
{
    [Cases(1_500)]
    public void NoncesNeverRepeatUnderOneKey(CipherSuite suite, Message[] messages, NonNegativeInt seed)
    {
        // A set for each AEAD, which is one for each key; failing attempts stand between the records.
        var used = new List<HashSet<string>>();
        CipherSuite watched = SeamSuites.WithAead(suite, inner => new WatchedAead(inner, used));
        using var encryptor = new RecordEncryptor(RecordKeys.Create(watched, seed.Get));
        foreach (Message message in messages.Concat(messages))
        {
            RecordWriter.Write(encryptor, message.Type, message.Content(seed.Get));
            Assert.ThrowsAny<ArgumentException>(() => encryptor.Encrypt(message.Type, [], message.Length));
            if (suite.Version == TlsVersion.Tls13 && message.Type == ContentType.Handshake)
            {
                encryptor.UpdateKeys();
            }
        }

        Assert.Equal(2 * messages.Length, used.Sum(nonces => nonces.Count));
    }

    [Cases(3_000)]
    public void AnAeadThatFailsHalfwayHasSpentItsNonce(CipherSuite suite, NonNegativeInt seed)
    {
        var used = new List<HashSet<string>>();
        CipherSuite watched = SeamSuites.WithAead(suite, Watch);
        using var encryptor = new RecordEncryptor(RecordKeys.Create(watched, seed.Get));
        for (int i = 0; i < 5; i++)
        {
            Write();
            Assert.Throws<InvalidDataException>(Write);
        }

        Assert.Equal(10, used.Single().Count);

        WatchedAead Watch(IAead inner) => new(inner, used) { FailEvery = 2 };
        void Write() => RecordWriter.Write(encryptor, ContentType.ApplicationData, [1]);
    }

    [Cases(20_000)]
    public void ImplicitNoncesAreIvXorNumber(ulong number, NonNegativeInt seed)
    {
        byte[] iv = RecordKeys.Bytes(12, seed.Get);
        byte[] nonce = new byte[12];
        RecordProtection.WriteNonce(iv, number, nonce);

        for (int i = 0; i < 12; i++)
        {
            byte expected = i < 4 ? (byte)0 : (byte)(number >> (8 * (11 - i)));
            Assert.Equal(expected, nonce[i] ^ iv[i]);
        }
    }

    [Cases(20_000)]
    public void ExplicitNoncesAreIvThenNumber(ulong number, NonNegativeInt seed)
    {
        byte[] iv = RecordKeys.Bytes(4, seed.Get);
        byte[] nonce = RecordKeys.Bytes(12, seed.Get);
        RecordProtection.WriteNonce(iv, number, nonce);

        Assert.Equal(iv, nonce[..4]);
        Assert.Equal(number.ToString("X16", null), Convert.ToHexString(nonce[4..]));
    }

    private sealed class WatchedAead : ForwardingAead
    {
        private readonly HashSet<string> _nonces = [];

        public WatchedAead(IAead inner, List<HashSet<string>> used)
            : base(inner) => used.Add(_nonces);

        public int FailEvery { get; init; } = int.MaxValue;

        public override void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
            ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag)
        {
            Assert.True(_nonces.Add(Convert.ToHexString(nonce)), "A nonce came twice.");
            base.Encrypt(nonce, associatedData, plaintext, ciphertext, tag);
            if (_nonces.Count % FailEvery == 0)
            {
                throw new InvalidDataException("The library failed halfway.");
            }
        }
    }
}
