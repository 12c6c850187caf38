using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Ktls.Kernel;

/// <summary>What the kernel reported about one descriptor.</summary>
/// <param name="Token">The token given at registration.</param>
/// <param name="Readable">Bytes, an end of stream or an error can be read.</param>
/// <param name="Writable">There is room to send.</param>
/// <param name="PeerClosed">The peer sent its FIN (EPOLLRDHUP).</param>
/// <param name="Broken">The connection is gone (EPOLLHUP).</param>
/// <param name="HasError">
/// An error waits to be told (EPOLLERR). Alone that is no end: kTLS leaves one where a record is refused, and the connection is still good for
/// the alert that says so.
/// </param>
internal readonly record struct ReadyEvent(ulong Token, bool Readable, bool Writable, bool PeerClosed, bool Broken, bool HasError = false);

/// <summary>
/// One epoll instance and the eventfd that wakes it. Registration may be called from any thread, <see cref="Wait"/> from one.
/// Source: epoll(7), eventfd(2).
/// </summary>
internal sealed unsafe class EventQueue : IDisposable
{
    private readonly int _epoll;
    private readonly int _wake;
    private readonly Lock _wakeGate = new();
    private bool _disposed;
    private readonly epoll_event[] _events = GC.AllocateArray<epoll_event>(EventsMax, pinned: true);

    public EventQueue()
    {
        _epoll = Demand(SyscallResult.From(epoll_create1(EPOLL_CLOEXEC)), "epoll_create1");
        _wake = Demand(SyscallResult.From(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), "eventfd");
        Demand(Control(EPOLL_CTL_ADD, _wake, EPOLLIN, WakeToken), "epoll_ctl");
    }

    /// <summary>Everything about a connection, edge-triggered, armed once.</summary>
    public SyscallResult AddConnection(int descriptor, ulong token) =>
        Control(EPOLL_CTL_ADD, descriptor, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, token);

    /// <summary>A listening socket that several queues share: one of them is woken per connection.</summary>
    public SyscallResult AddListener(int descriptor, ulong token) =>
        Control(EPOLL_CTL_ADD, descriptor, EPOLLIN | EPOLLEXCLUSIVE, token);

    /// <summary>Stops reporting a descriptor.</summary>
    public SyscallResult Remove(int descriptor) => Control(EPOLL_CTL_DEL, descriptor, 0, 0);

    /// <summary>Makes <see cref="Wait"/> return soon. Any thread.</summary>
    public void Wake()
    {
        ulong one = 1;
        lock (_wakeGate)
        {
            // The number of a closed descriptor may be somebody else's by now.
            while (!_disposed && SyscallResult.From(write(_wake, &one, sizeof(ulong))).Interrupted)
            {
            }
        }
    }

    /// <summary>Waits for events.</summary>
    /// <param name="ready">Filled from the front.</param>
    /// <param name="timeoutMilliseconds">-1 waits without end.</param>
    /// <returns>How many events; a wake-up alone gives 0.</returns>
    public int Wait(Span<ReadyEvent> ready, int timeoutMilliseconds)
    {
        fixed (epoll_event* events = _events)
        {
            int count = epoll_wait(_epoll, events, Math.Min(ready.Length, EventsMax), timeoutMilliseconds);
            int filled = 0;
            for (int i = 0; i < count; i++)
            {
                ref epoll_event e = ref events[i];
                if (e.data.u64 == WakeToken)
                {
                    ulong drained;
                    _ = read(_wake, &drained, sizeof(ulong));
                    continue;
                }

                ready[filled++] = new ReadyEvent(
                    e.data.u64,
                    (e.events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0,
                    (e.events & EPOLLOUT) != 0,
                    (e.events & EPOLLRDHUP) != 0,
                    (e.events & EPOLLHUP) != 0,
                    (e.events & EPOLLERR) != 0);
            }

            return filled;
        }
    }

    public void Dispose()
    {
        lock (_wakeGate)
        {
            _disposed = true;
        }

        _ = close(_wake);
        _ = close(_epoll);
    }

    private SyscallResult Control(int operation, int descriptor, int events, ulong token)
    {
        epoll_event e = default;
        e.events = events;
        e.data.u64 = token;
        return SyscallResult.From(epoll_ctl(_epoll, operation, descriptor, &e));
    }

    private static int Demand(SyscallResult result, string call) =>
        result.Failed ? throw new IOException($"{call} failed: {result.ErrorName}.") : result.Value;

    // A token no connection has: connections carry their generation, which starts at 1, in the upper half.
    private const ulong WakeToken = 0;

    // More ready connections than this wait for the next turn; one turn stays short.
    private const int EventsMax = 256;
}
