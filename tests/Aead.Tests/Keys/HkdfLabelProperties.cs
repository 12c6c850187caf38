using System.Security.Cryptography;
using System.Text;
using Aead.Keys;
using TestKit;
using Xunit;

namespace Aead.Tests.Keys;

public sealed class HkdfLabelProperties
{
    [Cases(2_000)]
    public void ExpandAgreesWithASecondImplementation(bool sha384, int seed, byte length)
    {
        byte[] secret = new byte[sha384 ? 48 : 32];
        new Random(seed).NextBytes(secret);
        foreach (string label in new[] { "key", "iv", "traffic upd", "twelve bytes" })
        {
            byte[] output = new byte[length + 1];
            HashAlgorithmName hash = sha384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;

            HkdfLabel.Expand(hash, secret, Encoding.ASCII.GetBytes(label), output);

            Assert.Equal(OracleKeys.ExpandLabel(sha384, secret, label, output.Length), output);
        }
    }
}
