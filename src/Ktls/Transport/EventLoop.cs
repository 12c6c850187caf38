using System.Collections.Concurrent;
using Ktls.Kernel;
using Microsoft.Extensions.Logging;

namespace Ktls.Transport;

/// <summary>
/// One thread, one epoll instance, and the sockets it reports. Continuations of the pipes run inline on it, so whatever blocks here stalls
/// every connection of the loop.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    [ThreadStatic]
    private static EventLoop? _current;

    [ThreadStatic]
    private static EventLoop? _nearest;

    private readonly EventQueue _queue = new();
    private readonly DescriptorTable _table;
    private readonly DeadlineList _deadlines = new();
    private readonly ConcurrentQueue<LoopSocket> _posted = new();
    private readonly ConcurrentQueue<(int Descriptor, bool Reset)> _closing = new();
    private readonly ILogger _log;
    private readonly Thread _thread;
    private HiddenReceive? _hidden;
    private volatile bool _stopped;
    private int _sockets;

    // 1 from before the loop looks whether it may sleep until it is up again: whoever posts meanwhile has to wake it.
    private int _asleep;

    public EventLoop(int number, DescriptorTable table, ReceiveScratch scratch, ILogger log)
    {
        Number = number;
        _table = table;
        _log = log;
        Scratch = scratch;
        _thread = new Thread(Run) { IsBackground = true, Name = $"tls-loop-{number}" };
    }

    /// <summary>The loop the calling thread runs, or null.</summary>
    public static EventLoop? Current => _current;

    /// <summary>
    /// The loop of the connection the calling thread reads for or has last read for, or null: where work for the same request belongs.
    /// </summary>
    public static EventLoop? Nearest { get => _current ?? _nearest; set => _nearest = value; }

    /// <summary>Its number among the loops, from 0.</summary>
    public int Number { get; }

    /// <summary>What this loop's reads decrypt into; only for its own thread.</summary>
    public ReceiveScratch Scratch { get; }

    /// <summary>
    /// What this loop receives into by the kernel; only for its own thread. Null until a listener wants it, then never again.
    /// </summary>
    public HiddenReceive? Hidden { get => Volatile.Read(ref _hidden); set => Volatile.Write(ref _hidden, value); }

    /// <summary>Counts turns, so that a socket can tell a new one from the current one.</summary>
    public int Turn { get; private set; }

    /// <summary>Sockets of this loop, for choosing the least loaded.</summary>
    public int SocketCount => Volatile.Read(ref _sockets);

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Watches a new connection, whose owner must be in the table already. Even when it fails, <see cref="Close"/> must follow.</summary>
    public SyscallResult Add(LoopSocket socket)
    {
        Interlocked.Increment(ref _sockets);
        return _queue.AddConnection(socket.Descriptor, socket.Token);
    }

    /// <summary>Watches a listening socket together with the other loops.</summary>
    public SyscallResult AddListener(LoopSocket socket) => _queue.AddListener(socket.Descriptor, socket.Token);

    /// <summary>Stops watching a listening socket.</summary>
    public void RemoveListener(int descriptor) => _queue.Remove(descriptor);

    /// <summary>Forgets a connection and closes it, by FIN or by reset. Any thread; the caller owns the descriptor and nobody else may use it.</summary>
    public void Close(LoopSocket socket, bool reset)
    {
        _deadlines.Clear(socket);
        _table.Remove(socket.Descriptor);
        Interlocked.Decrement(ref _sockets);
        if (Hidden != null && _current != this && _thread.IsAlive)
        {
            // The loop may be about to read from it, and the number could be somebody else's by then. Dispose closes what is left.
            _closing.Enqueue((socket.Descriptor, reset));
            _queue.Wake();
            return;
        }

        CloseDescriptor(socket.Descriptor, reset);
    }

    /// <summary>Hands a descriptor to its next owner.</summary>
    public void Replace(LoopSocket current, LoopSocket next)
    {
        _deadlines.Clear(current);
        _table.Replace(next);
    }

    /// <summary>Calls <see cref="LoopSocket.OnPosted"/> on the loop, after the events of this turn. Any thread.</summary>
    public void Post(LoopSocket socket)
    {
        _posted.Enqueue(socket);
        if (_current != this && Interlocked.CompareExchange(ref _asleep, 0, 1) == 1)
        {
            _queue.Wake();
        }
    }

    /// <summary>In the middle of a turn: what is posted now is taken without a system call.</summary>
    public bool IsAwake => Volatile.Read(ref _asleep) == 0;

    /// <summary>Sets a socket's one deadline, exact to a tick (a quarter of a second). Any thread.</summary>
    public void SetDeadline(LoopSocket socket, TimeSpan fromNow)
    {
        if (_deadlines.Set(socket, Environment.TickCount64 + (long)fromNow.TotalMilliseconds))
        {
            WakeFromOutside();
        }
    }

    /// <summary>Runs a turn soon, for what its end brings. Any thread.</summary>
    public void Nudge() => WakeFromOutside();

    /// <summary>Takes the deadline back. Any thread.</summary>
    public void ClearDeadline(LoopSocket socket) => _deadlines.Clear(socket);

    /// <summary>Ends the thread and frees the queue.</summary>
    public void Dispose()
    {
        _stopped = true;
        _queue.Wake();
        if (_thread.IsAlive && _current != this)
        {
            _thread.Join();
        }

        CloseDue();
        _queue.Dispose();
        Scratch.Dispose();
        Hidden?.Dispose();
    }

    private void Run()
    {
        _current = this;
        ReadyEvent[] ready = new ReadyEvent[ReadyMax];
        List<LoopSocket> due = [];
        long nextTick = 0;
        while (!_stopped)
        {
            Interlocked.Exchange(ref _asleep, 1);
            int timeout = !_posted.IsEmpty ? 0 : _deadlines.IsEmpty ? -1 : TickMilliseconds;
            int count = _queue.Wait(ready, timeout);
            Volatile.Write(ref _asleep, 0);
            Turn++;
            ReadTogether(ready.AsSpan(0, count));
            for (int i = 0; i < count; i++)
            {
                Dispatch(ready[i]);
            }

            Turn++;
            RunPosted();
            Hidden?.EndTurn();
            CloseDue();
            long now = Environment.TickCount64;
            if (now >= nextTick)
            {
                nextTick = now + TickMilliseconds;
                RunDeadlines(now, due);
            }
        }
    }

    // One system call for all connections that are ready and waited for; what it brought is taken when their events are handled.
    private void ReadTogether(ReadOnlySpan<ReadyEvent> ready)
    {
        if (Hidden is not { } hidden)
        {
            return;
        }

        foreach (ref readonly ReadyEvent one in ready)
        {
            if (one.Readable)
            {
                _table.Find(one.Token)?.JoinTurn(hidden);
            }
        }

        hidden.Submit();
    }

    private void Dispatch(in ReadyEvent ready)
    {
        LoopSocket? socket = _table.Find(ready.Token);
        if (socket == null)
        {
            return;
        }

        try
        {
            socket.OnReady(ready);
        }
        catch (Exception fault)
        {
            Contain(socket, fault);
        }
    }

    private void RunPosted()
    {
        // Only those that are there now: a socket that posts itself again waits for the next turn.
        for (int left = _posted.Count; left > 0 && _posted.TryDequeue(out LoopSocket? socket); left--)
        {
            try
            {
                socket.OnPosted();
            }
            catch (Exception fault)
            {
                Contain(socket, fault);
            }
        }
    }

    private void RunDeadlines(long now, List<LoopSocket> due)
    {
        _deadlines.TakeDue(now, due);
        foreach (LoopSocket socket in due)
        {
            try
            {
                socket.OnDeadline();
            }
            catch (Exception fault)
            {
                Contain(socket, fault);
            }
        }

        due.Clear();
    }

    private void CloseDue()
    {
        while (_closing.TryDequeue(out (int Descriptor, bool Reset) due))
        {
            CloseDescriptor(due.Descriptor, due.Reset);
        }
    }

    private static void CloseDescriptor(int descriptor, bool reset)
    {
        if (reset)
        {
            SocketCalls.Reset(descriptor);
        }
        else
        {
            SocketCalls.Close(descriptor);
        }
    }

    private void Contain(LoopSocket socket, Exception fault)
    {
        TransportLog.LoopFault(_log, fault);
        socket.OnFault(fault);
    }

    private void WakeFromOutside()
    {
        if (_current != this)
        {
            _queue.Wake();
        }
    }

    // Deadlines are seconds; a quarter of one is exact enough and keeps an idle loop quiet.
    private const int TickMilliseconds = 250;

    private const int ReadyMax = 256;
}
