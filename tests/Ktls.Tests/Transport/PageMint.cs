using Aead.Pages;
using Aead.Records;

namespace Ktls.Tests.Transport;

/// <summary>Makes real leases on verified bytes, and tells whether all of them came back.</summary>
internal sealed class PageMint : IDisposable
{
    private readonly RecordEncryptor _encryptor = new(TestRecords.Keys(TestRecords.Tls13));
    private readonly RecordDecryptor _decryptor = new(TestRecords.Keys(TestRecords.Tls13));
    private readonly DecryptStage _stage;

    public PageMint(Delivery delivery, int otherStages)
    {
        Pool = PagePool.Create(new PagePolicy { Delivery = delivery, BytesMax = 4 << 20 }, 1 + otherStages);
        _stage = Pool.CreateStage();
    }

    public PagePool Pool { get; }

    /// <summary>True when no lease is out: only stages hold slots.</summary>
    public bool IsWhole(int stages) => Pool.Status.CopyBytesInUse == 0 && Pool.Status.SlotsInUse == stages;

    /// <summary>A lease on these bytes, 1 to 16 384.</summary>
    public ExposedPages Expose(ReadOnlySpan<byte> bytes) =>
        _decryptor.Decrypt(_encryptor.Seal(ContentType.ApplicationData, bytes), _stage).ApplicationData!;

    public void Dispose()
    {
        _stage.Dispose();
        _encryptor.Dispose();
        _decryptor.Dispose();
        Pool.Dispose();
    }
}
