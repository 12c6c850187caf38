namespace Aead.Pages;

// All guarded slots. Owns the page maps for the life of the pool and the slots while they are free. Slots
// come back hidden and zeroed and are lent again first-in first-out. Maps are made on demand, outside the
// lock, by the one renter that found none free; whoever comes meanwhile goes away empty and copies.
internal sealed class SlotPool : IDisposable
{
    private readonly int _slotBytes;
    private readonly int _stagesMax;
    private readonly Lock _lock = new();
    private readonly Queue<StageSlot> _free = new();
    private readonly List<PageMap> _maps = [];
    private int _slotsMax;
    private int _slotsMapped;
    private int _stages;
    private int _flipped;
    private bool _growing;
    private bool _disposed;
    private string? _notice;

    /// <summary>Maps what the stages need.</summary>
    /// <exception cref="PageMapException">The kernel refused to map, or to lock what must be
    /// locked.</exception>
    internal SlotPool(LockPlan plan, Locking locking, int stagesMax, int slotBytes)
    {
        _slotBytes = slotBytes;
        _stagesMax = stagesMax;
        _slotsMax = plan.SlotsMax;
        _notice = plan.Notice;
        try
        {
            while (_slotsMapped < stagesMax)
            {
                int slotsToLock = Math.Clamp(plan.SlotsLocked - _slotsMapped, 0, SlotsOfNextMap);
                PageMap map = PageMap.Create(SlotsOfNextMap, slotBytes);
                Add(map);
                LockAtStart(map, slotsToLock, locking);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>More than three quarters of the slots that may be flipped are out.</summary>
    internal bool IsUnderPressure =>
        Volatile.Read(ref _flipped) > (Volatile.Read(ref _slotsMax) - _stagesMax) * 3L / 4;

    private int SlotsOfNextMap => Math.Min(SlotsPerMap, _slotsMax - _slotsMapped);

    /// <summary>A slot set aside for a stage.</summary>
    /// <exception cref="InvalidOperationException">More stages than set aside.</exception>
    internal StageSlot RentForStage()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(PagePool));
            if (_stages == _stagesMax)
            {
                throw new InvalidOperationException($"The pool was made for {_stagesMax} stages.");
            }

            _stages++;
            return _free.Dequeue();
        }
    }

    /// <summary>
    /// A slot that takes the place of one about to be flipped, or null: then the batch is copied.
    /// </summary>
    internal StageSlot? RentForFlip()
    {
        int slotsToMap;
        lock (_lock)
        {
            if (_free.Count > _stagesMax - _stages)
            {
                return Lend();
            }

            if (_growing || _disposed || _slotsMapped == _slotsMax)
            {
                return null;
            }

            _growing = true;
            slotsToMap = SlotsOfNextMap;
        }

        return Grow(slotsToMap);
    }

    internal void Return(StageSlot slot)
    {
        lock (_lock)
        {
            _flipped--;
            _free.Enqueue(slot);
        }
    }

    internal void ReturnFromStage(StageSlot slot)
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
        {
            long bytesLocked = _maps.Sum(map => (long)map.SlotsLocked) * _slotBytes;
            return new SlotCounts(_slotsMax, _slotsMapped, _stages + _flipped, bytesLocked, _notice);
        }
    }

    /// <summary>Unmaps everything. Idempotent.</summary>
    /// <exception cref="InvalidOperationException">A slot is out: unmapping it would turn a late reader into
    /// a reader of other memory.</exception>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_stages + _flipped > 0)
            {
                throw new InvalidOperationException($"{_stages} stages and {_flipped} leases hold a slot.");
            }

            _disposed = true;
            _free.Clear();
        }

        foreach (PageMap map in _maps)
        {
            map.Dispose();
        }
    }

    private StageSlot? Grow(int slots)
    {
        PageMap? map = null;
        string? refusal = null;
        try
        {
            map = MapLocked(slots);
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

    // What the plan found lockable may be gone by now: others in the process lock too.
    private void LockAtStart(PageMap map, int slotsToLock, Locking locking)
    {
        try
        {
            map.Lock(slotsToLock);
        }
        catch (PageMapException refused) when (locking == Locking.BestEffort)
        {
            string notice = $"Some decrypt slots are not locked and may be swapped out: {refused.Message}";
            _notice = _notice is null ? notice : $"{notice} {_notice}";
        }
    }

    private PageMap MapLocked(int slots)
    {
        PageMap map = PageMap.Create(slots, _slotBytes);
        try
        {
            map.Lock(slots);
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
        for (int slot = 0; slot < map.SlotCount; slot++)
        {
            _free.Enqueue(new StageSlot(map, slot, this));
        }
    }

    private StageSlot Lend()
    {
        _flipped++;
        return _free.Dequeue();
    }

    // 4 MiB, two huge pages: some milliseconds to map, join and lock, or more where the kernel has to move memory for
    // them. Only what flips grows; the stages' slots are mapped at the start.
    internal const int SlotsPerMap = 16;
}

/// <summary>A snapshot of the slot pool.</summary>
internal readonly record struct SlotCounts(int Max, int Mapped, int InUse, long BytesLocked, string? Notice);
