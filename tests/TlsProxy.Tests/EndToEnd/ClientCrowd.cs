using System.Collections.Concurrent;
using System.Net.Security;
using TestKit;

namespace TlsProxy.Tests.EndToEnd;

/// <summary>Many TLS connections held open at once.</summary>
internal sealed class ClientCrowd : IAsyncDisposable
{
    private readonly ConcurrentBag<SslStream> _connections = [];

    /// <summary>Opens that many more.</summary>
    public Task GrowAsync(int count, Func<Task<SslStream>> connect) => Parallel.ForAsync(
        0,
        count,
        new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
        async (_, _) => _connections.Add(await connect())).WaitAsync(Timeouts.Bulk);

    /// <summary>Opens that many and closes each at once.</summary>
    public static Task PassThroughAsync(int count, Func<Task<SslStream>> connect) => Parallel.ForAsync(
        0,
        count,
        new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
        async (_, _) => await (await connect()).DisposeAsync()).WaitAsync(Timeouts.Bulk);

    /// <summary>Does the same with each of them.</summary>
    public Task ForEachAsync(Func<SslStream, Task> act) => Parallel.ForEachAsync(
        _connections,
        new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
        async (connection, _) => await act(connection)).WaitAsync(Timeouts.Bulk);

    public async ValueTask DisposeAsync()
    {
        foreach (SslStream connection in _connections)
        {
            await connection.DisposeAsync();
        }
    }

    private const int AtOnce = 16;
}
