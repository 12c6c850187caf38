using System.Security.Cryptography;

namespace Aead.Pages;

// A slot that a decrypt stage of this process fills. Its writer view is for the stage that owns the hidden
// slot, and for zeroing. Without a pool it belongs to whoever made it, as in measurements.
internal sealed unsafe class StageSlot : GuardedSlot
{
    private readonly SlotPool? _home;
    private readonly byte* _writer;

    internal StageSlot(PageMap map, int index, SlotPool? home = null)
        : base(map, index)
    {
        _home = home;
        _writer = (byte*)map.WriterAddress(index);
    }

    /// <summary>The decryptor's view. Only the stage that owns the hidden slot may ask for it.</summary>
    internal Span<byte> WriterView()
    {
        Require(exposed: false);
        return new Span<byte>(_writer, Bytes);
    }

    /// <summary>Overwrites with zeros through the writer view, so never within sight of a consumer.</summary>
    internal void Zero(int start, int length) =>
        CryptographicOperations.ZeroMemory(WriterView().Slice(start, length));

    internal override void TakeBack(int used)
    {
        Hide();
        Zero(0, used);
        _home?.Return(this);
    }
}
