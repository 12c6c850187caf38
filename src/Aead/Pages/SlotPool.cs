namespace Aead.Pages;

// All guarded slots. Owns the page maps for the life of the pool and the slots while they are free. Slots come back hidden and zeroed and are
// lent again first-in first-out. Maps are made on demand, outside the lock, by the one renter that found none free; whoever comes
// meanwhile goes away empty and copies.
internal sealed class SlotPool : IDisposable
{
    private readonly int _slotBytes;
    private readonly int _stagesMax;
    private readonly Lock _lock = new();
    private readonly Queue<GuardedSlot> _free = new();
    private readonly List<PageMap> _maps = [];
    private int _slotsMax;
    private int _slotsMapped;
    private int _slotsLocked;
    private int _stages;
    private int _flipped;
    private bool _growing;
    private bool _disposed;
    private string? _notice;

    /// <summary>Maps what the stages need.</summary>
    /// <exception cref="PageMapException">The kernel refused.</exception>
    internal SlotPool(LockPlan plan, int stagesMax, int slotBytes)
    {
        _slotBytes = slotBytes;
        _stagesMax = stagesMax;
        _slotsMax = plan.SlotsMax;
        _notice = plan.Notice;
        try
        {
            while (_slotsMapped < stagesMax)
            {
                int slots = SlotsOfNextMap;
                Add(MapSlots(slots, slotsToLock: Math.Clamp(plan.SlotsLocked - _slotsMapped, 0, slots)));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>More than three quarters of the slots that may be flipped are out.</summary>
    internal bool IsUnderPressure => Volatile.Read(ref _flipped) > (Volatile.Read(ref _slotsMax) - _stagesMax) * 3L / 4;

    private int SlotsOfNextMap => Math.Min(SlotsPerMap, _slotsMax - _slotsMapped);

    /// <summary>A slot set aside for a stage.</summary>
    /// <exception cref="InvalidOperationException">More stages than set aside.</exception>
    internal GuardedSlot RentForStage()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(PagePool));
            if (_stages == _stagesMax)
                throw new InvalidOperationException($"The pool was made for {_stagesMax} stages and has them all.");
            _stages++;
            return _free.Dequeue();
        }
    }

    /// <summary>A slot that takes the place of one about to be flipped, or null: then the batch is copied.</summary>
    internal GuardedSlot? RentForFlip()
    {
        int slotsToMap;
        lock (_lock)
        {
            if (_free.Count > _stagesMax - _stages)
                return Lend();
            if (_growing || _disposed || _slotsMapped == _slotsMax)
                return null;
            _growing = true;
            slotsToMap = SlotsOfNextMap;
        }

        return Grow(slotsToMap);
    }

    internal void Return(GuardedSlot slot)
    {
        lock (_lock)
        {
            _flipped--;
            _free.Enqueue(slot);
        }
    }

    internal void ReturnFromStage(GuardedSlot slot)
    {
        lock (_lock)
        {
            _stages--;
            _free.Enqueue(slot);
        }
    }

    internal SlotCounts Count()
    {
        lock (_lock)
            return new SlotCounts(_slotsMax, _slotsMapped, _stages + _flipped, _slotsLocked * (long)_slotBytes, _notice);
    }

    /// <summary>Unmaps everything. Idempotent.</summary>
    /// <exception cref="InvalidOperationException">A slot is out: unmapping it would turn a late reader into a reader of other memory.</exception>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_stages + _flipped > 0)
                throw new InvalidOperationException($"{_stages} stages and {_flipped} flipped slots are still out.");
            _disposed = true;
            _free.Clear();
        }

        foreach (PageMap map in _maps)
            map.Dispose();
    }

    private GuardedSlot? Grow(int slots)
    {
        PageMap? map = null;
        string? refusal = null;
        try
        {
            map = MapSlots(slots, slotsToLock: slots);
        }
        catch (PageMapException refused)
        {
            refusal = refused.Message;
        }

        lock (_lock)
        {
            _growing = false;
            if (map is not null && !_disposed)
            {
                Add(map);
                return Lend();
            }

            if (refusal is not null)
            {
                _slotsMax = _slotsMapped;
                _notice = $"The pool stays at {_slotsMapped} guarded slots: {refusal}";
            }
        }

        map?.Dispose();
        return null;
    }

    private PageMap MapSlots(int slots, int slotsToLock)
    {
        PageMap map = PageMap.Create(slots, _slotBytes);
        try
        {
            map.Lock(slotsToLock);
            return map;
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    private void Add(PageMap map)
    {
        _maps.Add(map);
        _slotsMapped += map.SlotCount;
        _slotsLocked += map.SlotsLocked;
        for (int slot = 0; slot < map.SlotCount; slot++)
            _free.Enqueue(new GuardedSlot(map, slot));
    }

    private GuardedSlot Lend()
    {
        _flipped++;
        return _free.Dequeue();
    }

    // 4 MiB: about a millisecond to map and lock, so growing is no stall for the connections of one loop.
    private const int SlotsPerMap = 16;
}

/// <summary>A snapshot of the slot pool.</summary>
internal readonly record struct SlotCounts(int Max, int Mapped, int InUse, long BytesLocked, string? Notice);
