using System.Collections.Concurrent;
using System.Diagnostics;

namespace Bench.Compare.Loads;

/// <summary>
/// Many connections of this very process. Unlike wrk it connects before anything is measured, so that a
/// figure for ten thousand connections is not that of ten thousand handshakes.
/// </summary>
internal sealed class HeldConnections : IDisposable
{
    private readonly HeldConnection[] _connections;

    private HeldConnections(HeldConnection[] connections) => _connections = connections;

    /// <summary>Opens them a few at a time, which no queue of a listener can overflow.</summary>
    public static async Task<HeldConnections> OpenAsync(int port, int count)
    {
        ConcurrentBag<HeldConnection> opened = [];
        ParallelOptions few = new() { MaxDegreeOfParallelism = OpeningMax };
        try
        {
            await Parallel.ForAsync(0, count, few, async (_, _) => opened.Add(await HeldConnection.OpenAsync(port)));
            return new HeldConnections([.. opened]);
        }
        catch
        {
            foreach (HeldConnection connection in opened)
            {
                connection.Dispose();
            }

            throw;
        }
    }

    /// <summary>
    /// Gets the greeting again and again, on all connections in turn, for the warm-up and then for as long as is
    /// measured.
    /// </summary>
    /// <param name="warmUp">Before the first call of <paramref name="meter"/>.</param>
    /// <param name="measured">Between the two.</param>
    /// <param name="meter">Reads what is measured, once at the beginning and once at the end.</param>
    /// <returns>What was done between the two, and the two readings.</returns>
    public async Task<(LoadOutcome Outcome, double Before, double After)> DriveAsync(TimeSpan warmUp, TimeSpan measured, Func<double> meter)
    {
        long requests = 0;
        bool stop = false;
        Task[] loops = [.. Enumerable.Range(0, Math.Min(BusyMax, _connections.Length)).Select(LoopAsync)];
        await Task.Delay(warmUp);
        (long done, double before, long started) = (Interlocked.Read(ref requests), meter(), Stopwatch.GetTimestamp());
        await Task.Delay(measured);
        (done, double after, double seconds) =
            (Interlocked.Read(ref requests) - done, meter(), Stopwatch.GetElapsedTime(started).TotalSeconds);
        Volatile.Write(ref stop, true);
        string? error = null;
        try
        {
            await Task.WhenAll(loops);
        }
        catch (IOException e)
        {
            error = $"{loops.Count(loop => loop.IsFaulted)} of {loops.Length} clients failed: {e.Message}";
        }

        return (new LoadOutcome(done, seconds, null, error), before, after);

        async Task LoopAsync(int first)
        {
            for (int next = first; !Volatile.Read(ref stop); next = next + BusyMax < _connections.Length ? next + BusyMax : first)
            {
                await _connections[next].GetAsync();
                Interlocked.Increment(ref requests);
            }
        }
    }

    public void Dispose()
    {
        foreach (HeldConnection connection in _connections)
        {
            connection.Dispose();
        }
    }

    /// <summary>Requests under way at once.</summary>
    public const int BusyMax = 100;

    private const int OpeningMax = 32;
}
