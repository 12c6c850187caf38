using Aead;
using Aead.Algorithms;

namespace TestKit.Records;

/// <summary>
/// Suites whose AEADs decrypt as the real ones do, and leave in the destination what did not verify. Ours zero it, which hides whether
/// anybody relies on that; OpenSSL and the kernel leave it.
/// </summary>
public static class LeavingSuite
{
    /// <summary>The same suite; its two moments are reported before what lies there is replaced or judged.</summary>
    /// <param name="suite">A suite of the product.</param>
    /// <param name="look">Called when the destination holds unverified bytes, each of them <see cref="Unverified"/>.</param>
    public static CipherSuite Create(CipherSuite suite, Action<string> look)
    {
        AeadAlgorithm real = suite.Aead;
        AeadAlgorithm leaving = new(
            real.Name, real.KeyLength, real.ExplicitNonceLengthTls12, real.Limit, key => new LeavingAead(real.Create(key), look));
        return new CipherSuite(suite.Id, suite.Name, suite.Version, leaving, suite.Hash, suite.Certificate);
    }

    /// <summary>Stands for plaintext that nobody may see.</summary>
    public const byte Unverified = 0xC3;

    private sealed class LeavingAead(IAead real, Action<string> look) : ForwardingAead(real)
    {
        public override bool TryDecrypt(
            ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
        {
            plaintext.Fill(Unverified);
            look("while a record is decrypted");
            if (base.TryDecrypt(nonce, associatedData, ciphertext, tag, plaintext))
            {
                return true;
            }

            plaintext.Fill(Unverified);
            look("when a record was refused");
            return false;
        }
    }
}
