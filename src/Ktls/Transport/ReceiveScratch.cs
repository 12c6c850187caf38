using System.Diagnostics.CodeAnalysis;
using Aead.Pages;

namespace Ktls.Transport;

/// <summary>What one thread at a time reads with: a buffer for ciphertext and the hidden stage it is decrypted into.</summary>
internal sealed class ReceiveScratch(DecryptStage stage) : IDisposable
{
    /// <summary>As many bytes as the stage holds: what is received always fits it once decrypted.</summary>
    public byte[] Ciphertext { get; } = GC.AllocateUninitializedArray<byte>(stage.Capacity);

    /// <summary>Where it is decrypted.</summary>
    public DecryptStage Stage { get; } = stage;

    public void Dispose() => Stage.Dispose();
}

/// <summary>
/// Scratches for reads that run off the loops. Few, because such reads are rare and short: whoever finds none posts its read to the loop.
/// </summary>
internal sealed class ScratchPool(PagePool pages, int scratchesMax) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Stack<ReceiveScratch> _free = new();
    private int _created;

    /// <summary>A scratch, unless all are in use.</summary>
    public bool TryRent([NotNullWhen(true)] out ReceiveScratch? scratch)
    {
        lock (_gate)
        {
            if (_free.TryPop(out scratch))
            {
                return true;
            }

            if (_created == scratchesMax)
            {
                return false;
            }

            _created++;
        }

        scratch = new ReceiveScratch(pages.CreateStage());
        return true;
    }

    /// <summary>Gives it back.</summary>
    public void Return(ReceiveScratch scratch)
    {
        lock (_gate)
        {
            _free.Push(scratch);
        }
    }

    public void Dispose()
    {
        while (_free.TryPop(out ReceiveScratch? scratch))
        {
            scratch.Dispose();
        }
    }
}
