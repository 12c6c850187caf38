using Aead.Pages;
using Interleaving.Tests.Scheduling;
using Xunit;

namespace Interleaving.Tests.Pages;

/// <summary>The pool, used from several loops and drained while it is used.</summary>
[Trait("Claim", "I2")]
[Trait("Claim", "I4")]
public sealed class PoolInterleavings
{
    [Theory]
    [InlineData(Delivery.Flip)]
    [InlineData(Delivery.Copy)]
    public void Two_stages_never_share_memory(Delivery delivery) =>
        PoolScenario.Explore(pool => new TwoStages(pool), delivery);

    [Fact]
    public void Two_that_find_no_slot_make_the_pool_grow_once() => Exploration.Explore(() => new GrownByTwo());

    [Fact]
    public void A_pool_is_unmapped_only_when_nothing_is_out() => Exploration.Explore(() => new DrainedWhileUsed());

    [Fact]
    public void A_stage_that_is_disposed_twice_comes_back_once() =>
        PoolScenario.Explore(pool => new StageEndedByTwo(pool));

    private sealed class TwoStages : PoolScenario
    {
        private readonly DecryptStage _other;

        public TwoStages(PagePool pool)
            : base(pool) => _other = Pool.CreateStage();

        public override IReadOnlyList<Action> Actions => [() => Use(Stage, 1), () => Use(_other, 2)];

        public override void Check()
        {
            _other.Dispose();
            base.Check();
        }

        private void Use(DecryptStage stage, byte value)
        {
            using ExposedPages first = Decrypt(stage, value);
            Assert.True(LooksWhilePinned(first, value));
            first.Dispose();
            using ExposedPages second = Decrypt(stage, value);
            Assert.True(LooksWhilePinned(second, value));
        }
    }

    private sealed class GrownByTwo : PoolScenario
    {
        private readonly List<StageSlot> _lent = [];
        private readonly StageSlot?[] _asked = new StageSlot?[2];

        public GrownByTwo()
            : base(SmallPool(slots: 32))
        {
            int mapped = Pool.Status.SlotsMapped;
            while (Pool.Status.SlotsInUse < mapped - 1)
            {
                _lent.Add(Pool.RentForFlip()!);
            }
        }

        public override IReadOnlyList<Action> Actions => [() => _asked[0] = Pool.RentForFlip(), () => _asked[1] = Pool.RentForFlip()];

        public override void Check()
        {
            Assert.Equal(32, Pool.Status.SlotsMapped);
            Assert.Contains(_asked, slot => slot != null);
            Assert.NotSame(_asked[0], _asked[1]);
            foreach (StageSlot slot in _lent.Concat(_asked.OfType<StageSlot>()))
            {
                slot.Expose();
                slot.TakeBack(0);
            }

            base.Check();
        }

        public override void Dispose()
        {
            Pool.Dispose();
            base.Dispose();
        }
    }

    private sealed class DrainedWhileUsed : PoolScenario
    {
        private readonly ExposedPages _lease;
        private bool _drained;

        public DrainedWhileUsed()
            : base(SmallPool())
        {
            _lease = Decrypt(1);
            Stage.Dispose();
        }

        public override IReadOnlyList<Action> Actions => [Drain, Use];

        public override void Check()
        {
            if (!_drained)
            {
                base.Check();
            }
        }

        public override void Dispose()
        {
            Pool.Dispose();
            base.Dispose();
        }

        private void Drain()
        {
            try
            {
                Pool.Dispose();
                _drained = true;
            }
            catch (InvalidOperationException)
            {
            }
        }

        private void Use()
        {
            Assert.True(LooksWhilePinned(_lease, 1));
            _lease.Dispose();
            if (Pool.RentForFlip() is not { } slot)
            {
                return;
            }

            slot.WriterView()[0] = 1;
            slot.Expose();
            Turn.Point("holds a slot");
            slot.TakeBack(1);
        }
    }

    private sealed class StageEndedByTwo(PagePool pool) : PoolScenario(pool)
    {
        public override IReadOnlyList<Action> Actions => [Stage.Dispose, Stage.Dispose];
    }
}
