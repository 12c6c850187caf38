using Aead.Algorithms;

namespace Aead.Tests.Records;

/// <summary>Rows like those of the product with one column exchanged.</summary>
internal static class SeamSuites
{
    /// <summary>The same suite over AEADs that are wrapped, to watch or to disturb them.</summary>
    public static CipherSuite WithAead(CipherSuite suite, Func<IAead, IAead> wrap) =>
        With(suite, suite.Aead.Limit, wrap);

    /// <summary>The same suite with a limit that a test can reach.</summary>
    public static CipherSuite WithLimit(CipherSuite suite, UsageLimit limit) =>
        With(suite, limit, aead => aead);

    private static CipherSuite With(CipherSuite suite, UsageLimit limit, Func<IAead, IAead> wrap)
    {
        AeadAlgorithm real = suite.Aead;
        var algorithm = new AeadAlgorithm(
            real.Name, real.KeyLength, real.ExplicitNonceLengthTls12, limit, key => wrap(real.Create(key)));
        return new CipherSuite(suite.Id, suite.Name, suite.Version, algorithm, suite.Hash, suite.Certificate);
    }
}
