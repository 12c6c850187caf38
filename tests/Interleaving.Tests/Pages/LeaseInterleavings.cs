using System.Buffers;
using Aead.Pages;
using Interleaving.Tests.Scheduling;
using Xunit;

namespace Interleaving.Tests.Pages;

/// <summary>A lease, and everything that can happen to it at the same time.</summary>
[Trait("Claim", "I4")]
public sealed class LeaseInterleavings
{
    [Theory]
    [InlineData(Delivery.Flip)]
    [InlineData(Delivery.Copy)]
    public void Whoever_ends_a_lease_it_ends_once(Delivery delivery) =>
        PoolScenario.Explore(pool => new EndedByTwo(pool), delivery);

    [Theory]
    [InlineData(Delivery.Flip)]
    [InlineData(Delivery.Copy)]
    public void A_pin_holds_or_is_refused_while_the_lease_ends_and_its_memory_is_lent_again(Delivery delivery) =>
        PoolScenario.Explore(pool => new PinnedWhileItEnds(pool), delivery);

    [Fact]
    public void The_last_pin_and_the_end_give_back_once() =>
        PoolScenario.Explore(pool => new LastPinAndEnd(pool));

    [Fact]
    public void A_stale_lease_gives_no_span_of_the_next_batch() =>
        PoolScenario.Explore(pool => new StaleLease(pool));

    [Fact]
    public void Joining_takes_all_or_nothing_while_one_of_the_leases_ends() =>
        PoolScenario.Explore(pool => new JoinedWhileOneEnds(pool));

    private sealed class EndedByTwo : PoolScenario
    {
        private readonly ExposedPages _lease;

        public EndedByTwo(PagePool pool)
            : base(pool) => _lease = Decrypt(1);

        public override IReadOnlyList<Action> Actions => [_lease.Dispose, _lease.Dispose];
    }

    private sealed class PinnedWhileItEnds : PoolScenario
    {
        private readonly ExposedPages _lease;
        private ExposedPages? _next;

        public PinnedWhileItEnds(PagePool pool)
            : base(pool) => _lease = Decrypt(1);

        public override IReadOnlyList<Action> Actions => [() => LooksWhilePinned(_lease, 1), EndAndGoOn];

        public override void Check()
        {
            Assert.True(LooksWhilePinned(_next!, 2));
            Assert.False(LooksWhilePinned(_lease, 1));
            _next!.Dispose();
            base.Check();
        }

        private void EndAndGoOn()
        {
            _lease.Dispose();
            _next = Decrypt(2);
        }
    }

    private sealed class LastPinAndEnd : PoolScenario
    {
        private readonly ExposedPages _lease;
        private MemoryHandle _pin;

        public LastPinAndEnd(PagePool pool)
            : base(pool)
        {
            _lease = Decrypt(1);
            _pin = _lease.Pin();
        }

        public override IReadOnlyList<Action> Actions => [() => _pin.Dispose(), _lease.Dispose, () => LooksWhilePinned(_lease, 1)];
    }

    private sealed class StaleLease : PoolScenario
    {
        private readonly ExposedPages _lease;
        private readonly List<ExposedPages> _next = [];
        private bool _ended;

        public StaleLease(PagePool pool)
            : base(pool) => _lease = Decrypt(1);

        public override IReadOnlyList<Action> Actions => [EndAndGoOn, AskForSpans];

        public override void Check()
        {
            _next.ForEach(lease => lease.Dispose());
            base.Check();
        }

        // As many batches as there are slots, so one of them lies where the ended one lay.
        private void EndAndGoOn()
        {
            _lease.Dispose();
            _ended = true;
            for (byte value = 2; value < 4; value++)
            {
                _next.Add(Decrypt(value));
            }
        }

        private void AskForSpans()
        {
            for (int i = 0; i < 3; i++)
            {
                bool ended = _ended;
                try
                {
                    _ = _lease.GetSpan();
                    Assert.False(ended, "A lease that had ended gave a span.");
                }
                catch (ObjectDisposedException)
                {
                }

                Turn.Point("asks again");
            }
        }
    }

    private sealed class JoinedWhileOneEnds : PoolScenario
    {
        private readonly ExposedPages[] _leases;
        private ExposedPages? _joined;

        public JoinedWhileOneEnds(PagePool pool)
            : base(pool) => _leases = [Decrypt(1), Decrypt(1)];

        public override IReadOnlyList<Action> Actions => [Join, _leases[1].Dispose];

        public override void Check()
        {
            if (_joined is { } joined)
            {
                Assert.Equal(2 * Batch, joined.Length);
                Assert.Equal(-1, joined.GetSpan().IndexOfAnyExcept((byte)1));
                joined.Dispose();
            }

            Array.ForEach(_leases, lease => lease.Dispose());
            base.Check();
        }

        private void Join()
        {
            try
            {
                _joined = ExposedPages.Join(_leases, 0);
            }
            catch (ObjectDisposedException)
            {
            }
        }
    }
}
