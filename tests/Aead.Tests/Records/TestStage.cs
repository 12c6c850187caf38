using Aead.Pages;

namespace Aead.Tests.Records;

/// <summary>
/// A pool of its own with one stage: a stage serves one thread, and test classes run side by side.
/// </summary>
internal sealed class TestStage : IDisposable
{
    private readonly PagePool _pool;

    public TestStage(Delivery delivery = Delivery.Flip)
    {
        _pool = PagePool.Create(new PagePolicy { Delivery = delivery, BytesMax = 2 << 20 }, stages: 1);
        Stage = _pool.CreateStage();
    }

    public DecryptStage Stage { get; }

    public long CopyBytesInUse => _pool.Status.CopyBytesInUse;

    public void Dispose()
    {
        Stage.Dispose();
        _pool.Dispose();
    }
}
