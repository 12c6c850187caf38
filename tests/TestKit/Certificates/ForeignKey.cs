using System.Security.Cryptography;

namespace TestKit.Certificates;

/// <summary>A private key that passes for another: every look at its public half shows the other's, but it signs with its own.</summary>
public sealed class ForeignKey(ECDsa claimed, ECDsa actual) : ECDsa
{
    public override int KeySize => claimed.KeySize;

    public override ECParameters ExportParameters(bool includePrivateParameters) => claimed.ExportParameters(includePrivateParameters: false);

    public override byte[] ExportPkcs8PrivateKey() => actual.ExportPkcs8PrivateKey();

    public override byte[] SignHash(byte[] hash) => actual.SignHash(hash);

    public override bool VerifyHash(byte[] hash, byte[] signature) => claimed.VerifyHash(hash, signature);
}
