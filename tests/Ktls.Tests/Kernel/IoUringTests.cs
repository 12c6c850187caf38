using Ktls.Kernel;
using Xunit;

namespace Ktls.Tests.Kernel;

public class IoUringTests
{
    [Fact]
    public void A_wait_ends_while_an_entry_is_in_flight_and_that_entry_can_be_taken_back()
    {
        using IoUring ring = IoUring.TryCreate(2, out _)!;
        using Ktls.Tests.Transport.SocketPair pair = new();
        ref Tmds.Linux.io_uring_sqe poll = ref ring.Prepare();
        poll.opcode = Tmds.Linux.LibC.IORING_OP_POLL_ADD;
        poll.fd = pair.Descriptor;
        poll.poll_events = (ushort)Tmds.Linux.LibC.POLLIN;
        poll.user_data = 7;
        Assert.True(ring.SubmitAndWait().WaitExpired);
        Assert.Equal(1, ring.Outstanding);
        Assert.False(ring.TryTake(out _, out _));

        // Not even when another entry has completed, although then the kernel says nothing of the time.
        ring.Prepare().user_data = 6;
        Assert.True(ring.SubmitAndWait().WaitExpired);
        Assert.True(ring.TryTake(out ulong other, out _));
        Assert.Equal((6UL, 1), (other, ring.Outstanding));

        ref Tmds.Linux.io_uring_sqe cancel = ref ring.Prepare();
        cancel.opcode = Tmds.Linux.LibC.IORING_OP_ASYNC_CANCEL;
        cancel.addr = 7;
        cancel.user_data = 8;
        Assert.False(ring.SubmitAndWait().Failed);
        Dictionary<ulong, SyscallResult> taken = [];
        while (ring.TryTake(out ulong token, out SyscallResult result))
        {
            taken.Add(token, result);
        }

        Assert.Equal(0, ring.Outstanding);
        Assert.True(taken[7].Canceled);
        Assert.False(taken[8].Failed);
    }

    [Fact]
    public void More_entries_than_there_are_is_a_mistake_and_the_ring_goes_round()
    {
        using IoUring ring = IoUring.TryCreate(2, out _)!;
        for (ulong round = 0; round < 20; round++)
        {
            ring.Prepare().user_data = round;
            ring.Prepare().user_data = round + 100;
            Assert.Throws<InvalidOperationException>(() => ring.Prepare().user_data);
            Assert.False(ring.SubmitAndWait().Failed);
            Assert.True(ring.TryTake(out ulong first, out _));
            Assert.True(ring.TryTake(out ulong second, out _));
            Assert.Equal((round, round + 100), (first, second));
        }
    }
}
