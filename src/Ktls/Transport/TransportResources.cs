using System.Buffers;
using Aead.Pages;
using Ktls.Backends;
using Ktls.Kernel;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Ktls.Transport;

/// <summary>Memory for the connections of one loop: what loops had in common would have a lock in common.</summary>
/// <param name="Blocks">For records to be sent.</param>
/// <param name="Memory">For Kestrel.</param>
internal sealed record LoopPools(OutgoingBlockPool Blocks, MemoryPool<byte> Memory);

/// <summary>What all listeners share: the loops, the pools, the descriptors, the numbers.</summary>
internal sealed class TransportResources : IDisposable
{
    private readonly EventLoop[] _loops;
    private readonly LoopPools[] _pools;
    private readonly Lock _relief = new();
    private readonly Lock _hiddenGate = new();
    private bool _hiddenAsked;
    private volatile bool _forgeryAccepted;
    private long _connections;
    private long _reliefTick;

    public TransportResources(PagePool pages, IMemoryPoolFactory<byte> memory, IKernelSupport kernel, ILogger log)
    {
        Kernel = kernel;
        Pages = pages;
        Log = log;
        Scratches = new ScratchPool(pages, ScratchesMax);
        Metrics.Observe(pages, Table);
        _loops = new EventLoop[LoopCount];
        _pools = new LoopPools[LoopCount];
        for (int i = 0; i < _loops.Length; i++)
        {
            _loops[i] = new EventLoop(i, Table, new ReceiveScratch(pages.CreateStage()), log);
            _pools[i] = new LoopPools(new OutgoingBlockPool(), new ZeroingMemoryPool(memory.Create()));
            _loops[i].Start();
        }
    }

    /// <summary>One loop per processor: a loop never waits for another.</summary>
    public static int LoopCount => Environment.ProcessorCount;

    /// <summary>Reads off the loops are rare; those beyond this are posted to the loop.</summary>
    public static int ScratchesMax => Environment.ProcessorCount;

    /// <summary>Stages of the page pool that the transport uses.</summary>
    public static int Stages => LoopCount + ScratchesMax;

    /// <summary>What the kernel may be given.</summary>
    public IKernelSupport Kernel { get; }

    public PagePool Pages { get; }

    public ILogger Log { get; }

    public ScratchPool Scratches { get; }

    /// <summary>Where handshakes wait for the thread pool.</summary>
    public HandshakeSteps HandshakeSteps { get; } = new();

    public DescriptorTable Table { get; } = new();

    public TransportMetrics Metrics { get; } = new();

    public ReadOnlySpan<EventLoop> Loops => _loops;

    /// <summary>What the connections of a loop take memory from.</summary>
    public LoopPools PoolsOf(EventLoop loop) => _pools[loop.Number];

    /// <summary>Gives the loops what they need to receive by the kernel into hidden pages, unless they have it or cannot.</summary>
    /// <returns>Null, or why not.</returns>
    public LayerReason? EnableHiddenReceive()
    {
        lock (_hiddenGate)
        {
            if (_hiddenAsked)
            {
                return WhyNoHiddenReceive;
            }

            _hiddenAsked = true;
            return WhyNoHiddenReceive = Kernel.WhyNoHiddenReads ?? HiddenReceiveFactory.Equip(_loops, Pages);
        }
    }

    /// <summary>After <see cref="EnableHiddenReceive"/>: why the loops have no hidden pages; null when they have.</summary>
    public LayerReason? WhyNoHiddenReceive { get; private set; }

    /// <summary>A short name, unique in this process.</summary>
    public string NextConnectionId() => Interlocked.Increment(ref _connections).ToString("x", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The loop with the fewest sockets.</summary>
    public EventLoop LeastLoaded()
    {
        EventLoop least = _loops[0];
        foreach (EventLoop loop in _loops)
        {
            least = loop.SocketCount < least.SocketCount ? loop : least;
        }

        return least;
    }

    /// <summary>Resets every connection that the kernel receives for: what it verified may be forged. Any thread.</summary>
    public void AbortKernelReceivers()
    {
        TransportLog.ForgeryAccepted(Log);
        _forgeryAccepted = true;
        foreach (TlsConnection connection in Table.Connections())
        {
            AbortIfDistrusted(connection);
        }
    }

    /// <summary>For a connection that has just entered the table: one that was not there yet when the others were reset.</summary>
    public void AbortIfDistrusted(TlsConnection connection)
    {
        if (_forgeryAccepted && connection.Layers.WhyNotReceive == null)
        {
            Metrics.KernelClosed("forged_record_accepted");
            connection.Abort(new ConnectionAbortedException("The kernel took a tampered record for genuine in its self-test."));
        }
    }

    /// <summary>
    /// When verified bytes exceed their bound, gives up the connections that have held theirs for the longest time, a sixteenth of the holders
    /// at a time, so that a new client is served. A slow consumer must not cost a quick one.
    /// </summary>
    public void RelievePressure()
    {
        if (!Pages.IsOverBudget || !_relief.TryEnter())
        {
            return;
        }

        try
        {
            long now = Environment.TickCount64;
            if (now < _reliefTick)
            {
                return;
            }

            _reliefTick = now + ReliefIntervalMilliseconds;

            // The ticks go on changing: judge by what they were, and spare whoever has consumed since.
            List<(long Tick, TlsConnection Connection)> holders = Table.Connections()
                .Select(connection => (connection.HoldingSinceTick, connection))
                .Where(holder => holder.HoldingSinceTick != 0)
                .ToList();
            holders.Sort(static (a, b) => a.Tick.CompareTo(b.Tick));
            foreach ((long tick, TlsConnection slowest) in holders.Take((holders.Count / ReliefShare) + 1))
            {
                if (slowest.HoldingSinceTick == tick)
                {
                    slowest.Shed();
                }
            }
        }
        finally
        {
            _relief.Exit();
        }
    }

    public void Dispose()
    {
        foreach (EventLoop loop in _loops)
        {
            loop.Dispose();
        }

        foreach (BackendSocket backend in Table.Sockets().OfType<BackendSocket>())
        {
            backend.Close();
        }

        Scratches.Dispose();
        foreach (LoopPools pools in _pools)
        {
            pools.Memory.Dispose();
        }

        Metrics.Dispose();
    }

    // What was shed gives its bytes back within this time; a second look before that would shed too many.
    private const long ReliefIntervalMilliseconds = 100;

    private const int ReliefShare = 16;
}
