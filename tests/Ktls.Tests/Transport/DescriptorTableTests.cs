using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.Transport;

public class DescriptorTableTests
{
    [Fact]
    public void A_stale_token_never_reaches_the_next_owner_of_the_same_number()
    {
        DescriptorTable table = new();
        LoopSocket first = Add(table, 7);
        table.Remove(7);
        Assert.Null(table.Find(first.Token));
        LoopSocket second = Add(table, 7);
        Assert.Null(table.Find(first.Token));
        Assert.Same(second, table.Find(second.Token));
        Assert.NotEqual(first.Token, second.Token);
    }

    [Fact]
    public void A_successor_of_the_same_life_takes_the_token_over()
    {
        DescriptorTable table = new();
        LoopSocket handshake = Add(table, 3);
        LoopSocket connection = new DeadlineListProperties.IdleSocket(3, handshake.Token);
        table.Replace(connection);
        Assert.Same(connection, table.Find(handshake.Token));
    }

    [Fact]
    public void Any_descriptor_fits_and_an_unknown_one_has_no_owner()
    {
        DescriptorTable table = new();
        LoopSocket low = Add(table, 0);
        LoopSocket high = Add(table, 100_000);
        Assert.Same(low, table.Find(low.Token));
        Assert.Same(high, table.Find(high.Token));
        Assert.Null(table.Find(table.NextToken(5)));
        Assert.Null(table.Find(table.NextToken(2_000_000)));
        Assert.Empty(table.Connections());
    }

    private static DeadlineListProperties.IdleSocket Add(DescriptorTable table, int descriptor)
    {
        DeadlineListProperties.IdleSocket socket = new(descriptor, table.NextToken(descriptor));
        table.Replace(socket);
        return socket;
    }
}
