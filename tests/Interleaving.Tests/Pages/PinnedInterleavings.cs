using Aead.Pages;
using TestKit.Pages;
using Xunit;

namespace Interleaving.Tests.Pages;

/// <summary>Pages the kernel writes to: one loop fills them, consumers elsewhere end their leases.</summary>
[Trait("Claim", "I2")]
[Trait("Claim", "I4")]
public sealed class PinnedInterleavings
{
    [Fact]
    public void Slots_that_come_back_from_elsewhere_are_zeroed_by_the_loop_before_they_are_filled() =>
        PoolScenario.Explore(pool => new LoopAndConsumer(pool));

    [Fact]
    public void Slots_are_unmapped_only_when_none_is_out() => PoolScenario.Explore(pool => new DrainedWhileLent(pool));

    private abstract class PinnedScenario : PoolScenario
    {
        private readonly PinnedAlias _kernel = new();
        private int _wakes;

        protected PinnedScenario(PagePool pool)
            : base(pool) => Pages = PinnedPages.Create(Pool, _kernel, slots: 3, () => _wakes++);

        protected PinnedPages Pages { get; }

        protected int Wakes => _wakes;

        protected ExposedPages Receive(byte value)
        {
            Assert.True(Pages.TryRent(out PinnedSlot? slot));
            Assert.True(IsHidden(slot.ReaderAddress, slot.Bytes), "The slot that is filled can be read.");
            Assert.False(
                _kernel.Read(slot.TargetAddress, Batch).AsSpan().ContainsAnyExcept((byte)0), "A slot is filled that still holds another batch.");
            _kernel.Write(slot.TargetAddress, Enumerable.Repeat(value, Batch).ToArray());
            return Pages.Settle(slot, Batch, slot.Bytes)!;
        }

        protected void End() => _kernel.Dispose();
    }

    private sealed class LoopAndConsumer : PinnedScenario
    {
        private readonly ExposedPages _first;
        private readonly ExposedPages _second;

        public LoopAndConsumer(PagePool pool)
            : base(pool) => (_first, _second) = (Receive(1), Receive(2));

        public override IReadOnlyList<Action> Actions => [Loop, Consume];

        public override void Check()
        {
            Assert.True(Wakes >= 2, "The loop was not woken for a slot that came back.");
            Pages.Tidy();
            Assert.Equal((0, Pages.Slots), (Pages.SlotsOut, Pages.SlotsFree));
            Pages.Dispose();
            End();
            base.Check();
        }

        private void Loop()
        {
            for (byte value = 3; value < 5; value++)
            {
                using ExposedPages lease = Receive(value);
                Assert.True(LooksWhilePinned(lease, value));
                Pages.Tidy();
            }
        }

        private void Consume()
        {
            Assert.True(LooksWhilePinned(_first, 1));
            _first.Dispose();
            Assert.True(LooksWhilePinned(_second, 2));
            _second.Dispose();
        }
    }

    private sealed class DrainedWhileLent : PinnedScenario
    {
        private readonly ExposedPages _lease;

        public DrainedWhileLent(PagePool pool)
            : base(pool) => _lease = Receive(1);

        public override IReadOnlyList<Action> Actions => [Pages.Dispose, Consume];

        public override void Check()
        {
            End();
            base.Check();
        }

        private void Consume()
        {
            Assert.True(LooksWhilePinned(_lease, 1));
            _lease.Dispose();
        }
    }
}
