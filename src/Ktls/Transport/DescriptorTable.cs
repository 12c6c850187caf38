namespace Ktls.Transport;

/// <summary>
/// Who owns a descriptor's events. Indexed by descriptor and checked by token, so that an event of a closed descriptor never reaches the
/// next one of the same number. An entry leaves the table before its descriptor is closed.
/// </summary>
internal sealed class DescriptorTable
{
    private readonly Lock _gate = new();
    private LoopSocket?[] _sockets = new LoopSocket?[1024];
    private uint _generation;

    /// <summary>A token for a new life of this descriptor.</summary>
    public ulong NextToken(int descriptor)
    {
        uint generation;
        do
        {
            generation = Interlocked.Increment(ref _generation);
        }
        while (generation == 0);
        return ((ulong)generation << 32) | (uint)descriptor;
    }

    /// <summary>Adds a descriptor's first owner, or swaps in the next one.</summary>
    public void Replace(LoopSocket socket)
    {
        lock (_gate)
        {
            if (socket.Descriptor >= _sockets.Length)
            {
                LoopSocket?[] larger = new LoopSocket?[Math.Max(_sockets.Length * 2, socket.Descriptor + 1)];
                _sockets.CopyTo(larger, 0);
                Volatile.Write(ref _sockets, larger);
            }

            Volatile.Write(ref _sockets[socket.Descriptor], socket);
        }
    }

    /// <summary>Forgets a descriptor; call before closing it.</summary>
    public void Remove(int descriptor)
    {
        lock (_gate)
        {
            Volatile.Write(ref _sockets[descriptor], null);
        }
    }

    /// <summary>The owner with this token, or null when it is gone.</summary>
    public LoopSocket? Find(ulong token)
    {
        LoopSocket?[] sockets = Volatile.Read(ref _sockets);
        uint descriptor = (uint)token;
        LoopSocket? socket = descriptor < (uint)sockets.Length ? Volatile.Read(ref sockets[descriptor]) : null;
        return socket?.Token == token ? socket : null;
    }

    /// <summary>The connections at this moment, for the rare walk over all.</summary>
    public IEnumerable<TlsConnection> Connections() => Sockets().OfType<TlsConnection.ConnectionSocket>().Select(socket => socket.Connection);

    /// <summary>All owners at this moment.</summary>
    public IEnumerable<LoopSocket> Sockets()
    {
        LoopSocket?[] sockets = Volatile.Read(ref _sockets);
        for (int i = 0; i < sockets.Length; i++)
        {
            if (Volatile.Read(ref sockets[i]) is { } socket)
            {
                yield return socket;
            }
        }
    }
}
