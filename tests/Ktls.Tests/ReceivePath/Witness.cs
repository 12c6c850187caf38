using System.Buffers;
using System.Collections.Concurrent;
using Aead.Pages;
using TestKit.Pages;

namespace Ktls.Tests.ReceivePath;

/// <summary>
/// Somebody who remembers every address a consumer was ever given and looks there whenever it may hurt: at the seams of the record layer, at
/// the consumer's steps, and at any time on a thread of its own. What may be seen is nothing (EFAULT), zeros, and bytes that verified. It
/// looks as a debugger does, so it survives.
/// </summary>
internal sealed class Witness : IDisposable
{
    private readonly int _slotBytes;
    private readonly ConcurrentDictionary<nint, bool> _slots = new();
    private readonly ConcurrentDictionary<nint, ExposedPages> _copies = new();
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly Thread? _thread;
    private volatile bool _stopped;
    private long _looks;
    private long _slotLeases;
    private long _copyLeases;

    /// <param name="slotBytes">Bytes of a slot, all of which are readable when it is exposed.</param>
    /// <param name="watches">Looks on a thread of its own, too; worth it with a second processor.</param>
    public Witness(int slotBytes, bool watches)
    {
        _slotBytes = slotBytes;
        if (watches)
        {
            _thread = new Thread(Watch) { IsBackground = true, Name = "witness" };
            _thread.Start();
        }
    }

    /// <summary>Looks at one address, over all stories.</summary>
    public long Looks => Volatile.Read(ref _looks);

    /// <summary>Leases that were in a slot, and those that were a copy, over all stories.</summary>
    public (long Slots, long Copies) Leases => (Volatile.Read(ref _slotLeases), Volatile.Read(ref _copyLeases));

    /// <summary>A consumer was given these bytes.</summary>
    /// <param name="lease">What they lie in, which keeps a copy from being collected.</param>
    /// <param name="address">Where its first byte is.</param>
    public void Remember(ExposedPages lease, nint address)
    {
        if (lease.HoldsSlot)
        {
            Interlocked.Increment(ref _slotLeases);
            _slots[address] = true;
            CheckTail(address, lease.Length);
        }
        else
        {
            Interlocked.Increment(ref _copyLeases);
            _copies[address] = lease;
        }
    }

    /// <summary>Looks at everything a consumer has had.</summary>
    public void Look(string when)
    {
        foreach ((nint address, _) in _slots)
        {
            Look(address, _slotBytes, when);
        }

        foreach ((nint address, ExposedPages lease) in _copies)
        {
            Look(address, lease.Length, when);
        }
    }

    /// <summary>A slot is being filled: nobody may read any of it.</summary>
    public void LookAtHidden(nint address, string when)
    {
        Interlocked.Increment(ref _looks);
        if (!PageProbe.IsHidden(address, _slotBytes))
        {
            Complain($"{when}: the slot that is filled can be read");
        }
    }

    public void Complain(string complaint) => _complaints.Enqueue(complaint);

    /// <summary>
    /// Ends a story, when everything has been given back: no slot can be read, and no copy has anything left.
    /// </summary>
    /// <returns>What was wrong with it.</returns>
    public IReadOnlyList<string> Conclude()
    {
        Look("at the end");
        foreach ((nint address, _) in _slots)
        {
            if (!PageProbe.IsHidden(address, _slotBytes))
            {
                Complain("at the end: a slot that was given back can be read");
            }
        }

        foreach ((nint address, ExposedPages lease) in _copies)
        {
            if (PageProbe.Read(address, lease.Length) is not { } left || left.AsSpan().ContainsAnyExcept((byte)0))
            {
                Complain("at the end: a copy that was given back is not zeroed");
            }
        }

        _copies.Clear();
        string[] complaints = [.. _complaints.Distinct()];
        _complaints.Clear();
        return complaints;
    }

    public void Dispose()
    {
        _stopped = true;
        _thread?.Join();
    }

    private void Watch()
    {
        while (!_stopped)
        {
            Look("at some time");
            Thread.Sleep(1);
        }
    }

    private void Look(nint address, int bytes, string when)
    {
        Interlocked.Increment(ref _looks);
        byte[] room = ArrayPool<byte>.Shared.Rent(bytes);
        Span<byte> seen = room.AsSpan(0, bytes);
        if (PageProbe.TryRead(address, seen) && ClientRecords.ShowsUnverified(seen))
        {
            Complain($"{when}: bytes can be read that did not verify");
        }

        ArrayPool<byte>.Shared.Return(room);
    }

    // A slot is exposed whole: what lies behind the verified bytes can be read, so it must be nothing.
    private void CheckTail(nint address, int verified)
    {
        byte[]? tail = PageProbe.Read(address + verified, _slotBytes - verified);
        if (tail == null || tail.AsSpan().ContainsAnyExcept((byte)0))
        {
            Complain("behind the verified bytes of an exposed slot is something else than zeros");
        }
    }
}
