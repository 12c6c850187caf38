using Aead.Algorithms;
using Xunit;

namespace Aead.Tests.Algorithms;

public sealed class UsageLimitTests
{
    public static TheoryData<string> Suites => [.. CipherSuite.All.Select(suite => suite.Name)];

    [Fact]
    public void AesGcm_NeverPassesTheBoundOfRfc8446Section55()
    {
        ulong bound = (ulong)Math.Floor(Math.Pow(2, 24.5));
        foreach (AeadAlgorithm algorithm in new[] { AeadAlgorithm.Aes128Gcm, AeadAlgorithm.Aes256Gcm })
        {
            Assert.Equal(bound, algorithm.Limit.CloseRecords + UsageLimit.AlertRecords);
            Assert.Equal(1UL << 24, algorithm.Limit.UpdateKeysRecords);
        }
    }

    [Fact]
    public void ChaCha20_EndsWithTheSequenceNumberAlone()
    {
        UsageLimit limit = AeadAlgorithm.ChaCha20Poly1305.Limit;
        Assert.Equal(ulong.MaxValue, limit.CloseRecords + UsageLimit.AlertRecords);
        Assert.False(limit.AllowsAlert(ulong.MaxValue));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void ActionAt_EveryThreshold_ChangesExactlyThere(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        UsageLimit limit = suite.Aead.Limit;
        UsageAction update = suite.Version == TlsVersion.Tls13 ? UsageAction.UpdateKeys : UsageAction.None;

        Assert.Equal(UsageAction.None, limit.ActionAt(suite.Version, 0));
        Assert.Equal(UsageAction.None, limit.ActionAt(suite.Version, limit.UpdateKeysRecords - 1));
        Assert.Equal(update, limit.ActionAt(suite.Version, limit.UpdateKeysRecords));
        Assert.Equal(update, limit.ActionAt(suite.Version, limit.CloseRecords - 1));
        Assert.Equal(UsageAction.Close, limit.ActionAt(suite.Version, limit.CloseRecords));
        Assert.Equal(UsageAction.Close, limit.ActionAt(suite.Version, ulong.MaxValue));
    }
}
