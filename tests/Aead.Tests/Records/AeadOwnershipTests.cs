using Aead.Algorithms;
using Aead.Records;
using Aead.Tests.Keys;
using TestKit.Records;
using Xunit;

namespace Aead.Tests.Records;

/// <summary>An AEAD holds a key outside managed memory: it must go when its key goes, and not with the garbage.</summary>
[Trait("Claim", "C5")]
public sealed class AeadOwnershipTests
{
    private readonly List<CountedAead> _made = [];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_AEAD_lives_whatever_the_number_of_updates_and_none_after_the_end(bool encrypts)
    {
        CipherSuite suite = SeamSuites.WithAead(CipherSuite.All.First(row => row.Version == TlsVersion.Tls13), Count);
        (IDisposable owner, Action updateKeys) = Create(suite, encrypts);
        Assert.Single(_made, aead => !aead.Disposed);
        updateKeys();
        updateKeys();
        Assert.Equal(3, _made.Count);
        Assert.Same(_made[^1], Assert.Single(_made, aead => !aead.Disposed));
        owner.Dispose();
        Assert.All(_made, aead => Assert.True(aead.Disposed));
    }

    private static (IDisposable Owner, Action UpdateKeys) Create(CipherSuite suite, bool encrypts)
    {
        if (encrypts)
        {
            RecordEncryptor encryptor = new(RecordKeys.Create(suite, seed: 1));
            return (encryptor, encryptor.UpdateKeys);
        }

        RecordDecryptor decryptor = new(RecordKeys.Create(suite, seed: 1));
        return (decryptor, decryptor.UpdateKeys);
    }

    private CountedAead Count(IAead inner)
    {
        CountedAead counted = new(inner);
        _made.Add(counted);
        return counted;
    }

    private sealed class CountedAead(IAead inner) : ForwardingAead(inner)
    {
        public bool Disposed { get; private set; }

        public override void Dispose()
        {
            Disposed = true;
            base.Dispose();
        }
    }
}
