using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Ktls.Tests.Transport;

// A class of its own: it waits for the product's own patience, and other tests run meanwhile.
[Trait("Claim", "C4")]
public class LingeringCloseTests
{
    [Fact]
    public async Task A_client_that_takes_nothing_of_the_last_answer_is_given_up()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync(receiveBuffer: 8192);
        _ = TlsConnectionClosingTests.FillAsync(connection);
        Stopwatch time = Stopwatch.StartNew();
        await connection.DisposeAsync();
        while (!client.Socket.Poll(100_000, SelectMode.SelectError))
        {
            Assert.True(time.Elapsed < TestKit.Timeouts.Program, "The transport lingers without end.");
        }
    }
}
