using Aead.Pages;
using TestKit.Pages;
using Xunit;

namespace Aead.Tests.Pages;

public sealed class GuardedSlotTests : IDisposable
{
    private readonly PageMap _map = PageMap.Create(slotCount: 1, TestPool.SlotBytes);
    private readonly StageSlot _slot;

    public GuardedSlotTests() => _slot = new StageSlot(_map, 0);

    public void Dispose() => _map.Dispose();

    [Fact]
    public void What_is_written_while_hidden_is_read_once_exposed_and_gone_once_zeroed()
    {
        TestPool.Bytes(1, _slot.Bytes).CopyTo(_slot.WriterView());
        Assert.True(PageProbe.IsHidden(_slot.ReaderAddress, _slot.Bytes));

        _slot.Expose();
        TestPool.AssertSame(TestPool.Bytes(1, _slot.Bytes), _slot.ExposedView(_slot.Generation, _slot.Bytes));

        _slot.Hide();
        _slot.Zero(0, _slot.Bytes);
        _slot.Expose();
        TestPool.AssertSame(new byte[_slot.Bytes], _slot.ExposedView(_slot.Generation, _slot.Bytes));
    }

    [Fact]
    public void Zero_spares_what_lies_around_it()
    {
        TestPool.Bytes(1, 300).CopyTo(_slot.WriterView());
        _slot.Zero(100, 100);
        byte[] expected = TestPool.Bytes(1, 300);
        expected.AsSpan(100, 100).Clear();
        Assert.Equal(expected, _slot.WriterView()[..300].ToArray());
    }

    [Fact]
    public void No_state_is_entered_twice_and_no_writer_exists_while_exposed()
    {
        Assert.Contains("is hidden", Assert.Throws<InvalidOperationException>(_slot.Hide).Message, StringComparison.Ordinal);
        _slot.Expose();
        Assert.Contains("is exposed", Assert.Throws<InvalidOperationException>(_slot.Expose).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => _slot.WriterView().Length);
        Assert.Throws<InvalidOperationException>(() => _slot.Zero(0, 1));
    }
}
