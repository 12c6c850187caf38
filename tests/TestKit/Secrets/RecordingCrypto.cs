using System.Text;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace TestKit.Secrets;

/// <summary>One secret of a handshake, as both ends know it.</summary>
/// <param name="Name">The labels that lead to it, as in <c>c ap traffic/key</c>.</param>
/// <param name="Bytes">The secret.</param>
public sealed record RecordedSecret(string Name, byte[] Bytes);

// Every secret of BouncyCastle's passes through the class that makes secrets, so that is where they are written down: shared secrets, early and
// master secrets, traffic secrets of all generations, keys, IVs. What the client derives the server derives, too.

/// <summary>A client's cryptography that writes down every secret it ever has.</summary>
internal sealed class RecordingCrypto(List<RecordedSecret> secrets) : BcTlsCrypto
{
    /// <summary>A secret that takes <paramref name="data"/> over.</summary>
    public Secret Adopt(string name, byte[] data)
    {
        lock (secrets)
        {
            secrets.Add(new RecordedSecret(name, [.. data]));
        }

        return new Secret(this, name, data);
    }

    public override TlsSecret AdoptSecret(TlsSecret secret) => Adopt("adopted", secret.Extract());

    public override TlsSecret CreateSecret(byte[] data) => Adopt("created", [.. data]);

    public override TlsSecret HkdfInit(int cryptoHashAlgorithm) =>
        new Secret(this, "zeros", new byte[TlsCryptoUtilities.GetHashOutputSize(cryptoHashAlgorithm)]);

    public override TlsSecret CreateHybridSecret(TlsSecret s1, TlsSecret s2) =>
        Adopt("hybrid", [.. s1.Extract(), .. s2.Extract()]);

    public override TlsECDomain CreateECDomain(TlsECConfig ecConfig) =>
        new Domain(() => new Agreement(this, base.CreateECDomain(ecConfig).CreateECDH()));

    public override TlsKemDomain CreateKemDomain(TlsKemConfig kemConfig) =>
        new Domain(() => new Agreement(this, base.CreateKemDomain(kemConfig).CreateKem()));

    /// <summary>Computes as BouncyCastle does; each result is written down under the labels that led to it.</summary>
    internal sealed class Secret(RecordingCrypto crypto, string name, byte[] data) : AbstractTlsSecret(data)
    {
        protected override AbstractTlsCrypto Crypto => crypto;

        public override TlsSecret HkdfExtract(int cryptoHashAlgorithm, TlsSecret ikm)
        {
            TlsSecret extracted = Original().HkdfExtract(cryptoHashAlgorithm, ikm);
            Destroy();
            return crypto.Adopt("extracted", extracted.Extract());
        }

        public override TlsSecret HkdfExpand(int cryptoHashAlgorithm, byte[] info, int length) =>
            HkdfExpand(cryptoHashAlgorithm, info.AsSpan(), length);

        // RFC 8446 §7.1: two bytes of length, then the label behind its own length.
        public override TlsSecret HkdfExpand(int cryptoHashAlgorithm, ReadOnlySpan<byte> info, int length) =>
            Derived(Encoding.ASCII.GetString(info.Slice(3, info[2]))["tls13 ".Length..], Original().HkdfExpand(cryptoHashAlgorithm, info, length));

        public override TlsSecret DeriveUsingPrf(int prfAlgorithm, string label, byte[] seed, int length) =>
            DeriveUsingPrf(prfAlgorithm, label.AsSpan(), seed.AsSpan(), length);

        public override TlsSecret DeriveUsingPrf(int prfAlgorithm, ReadOnlySpan<char> label, ReadOnlySpan<byte> seed, int length) =>
            Derived(label.ToString(), Original().DeriveUsingPrf(prfAlgorithm, label, seed, length));

        private BcTlsSecret Original()
        {
            CheckAlive();
            return new BcTlsSecret(crypto, [.. m_data]);
        }

        private Secret Derived(string label, TlsSecret derived)
        {
            // Only traffic secrets lead on to what has to be told apart; behind a KeyUpdate they all have one label.
            string path = name.Contains("traffic", StringComparison.Ordinal) ? $"{name}/{label}" : label;
            return crypto.Adopt(path, derived.Extract());
        }
    }

    private sealed class Agreement(RecordingCrypto crypto, TlsAgreement agreement) : TlsAgreement
    {
        public byte[] GenerateEphemeral() => agreement.GenerateEphemeral();

        public void ReceivePeerValue(byte[] peerValue) => agreement.ReceivePeerValue(peerValue);

        public TlsSecret CalculateSecret() => crypto.Adopt("shared secret", agreement.CalculateSecret().Extract());
    }

    private sealed class Domain(Func<TlsAgreement> create) : TlsECDomain, TlsKemDomain
    {
        public TlsAgreement CreateECDH() => create();

        public TlsAgreement CreateKem() => create();
    }
}
