using System.Collections.Concurrent;

namespace Ktls.Transport;

// A step takes a good part of a millisecond, and a flood brings thousands at once. They run on the thread pool, where requests are served too:
// whatever is queued there while handshakes wait gets its turn after a few steps of each worker, not after the flood.

/// <summary>
/// Handshakes that want a step, first come first served, and the few work items of the thread pool that take them, a few steps each time they
/// are run. Thread-safe.
/// </summary>
internal sealed class HandshakeSteps : IThreadPoolWorkItem
{
    private readonly ConcurrentQueue<IThreadPoolWorkItem> _waiting = new();
    private int _workers;

    /// <summary>Work items at most: with fewer than processors, a handshake would wait while one is idle.</summary>
    public static int WorkersMax => Environment.ProcessorCount;

    /// <summary>Runs a step soon. Any thread.</summary>
    public void Add(IThreadPoolWorkItem step)
    {
        _waiting.Enqueue(step);

        // A worker leaves first and looks at the queue then; this looks at the workers after it has queued.
        Interlocked.MemoryBarrier();
        Engage();
    }

    void IThreadPoolWorkItem.Execute()
    {
        for (int taken = 0; taken < StepsPerTurn && _waiting.TryDequeue(out IThreadPoolWorkItem? step); taken++)
        {
            step.Execute();
        }

        if (!_waiting.IsEmpty)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return;
        }

        Interlocked.Decrement(ref _workers);
        if (!_waiting.IsEmpty)
        {
            Engage();
        }
    }

    private void Engage()
    {
        int workers = Volatile.Read(ref _workers);
        while (workers < WorkersMax)
        {
            int seen = Interlocked.CompareExchange(ref _workers, workers + 1, workers);
            if (seen == workers)
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }

            workers = seen;
        }
    }

    // About two milliseconds, which others wait. With fewer, a pool that is full of requests would let few handshakes through.
    private const int StepsPerTurn = 4;
}
