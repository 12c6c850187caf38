namespace Ktls.Transport;

/// <summary>
/// How many lines strangers may make us log: each costs its sender five bytes, and a slow reader of the log would slow down everybody.
/// What is left out is counted, and the metrics count everything. Thread-safe.
/// </summary>
internal sealed class LineLimit
{
    private readonly Lock _gate = new();
    private double _credit = LinesBurst;
    private long _tick = Environment.TickCount64;
    private int _leftOut;

    /// <summary>True when a line may be logged.</summary>
    /// <param name="leftOut">How many were not since the last one that was.</param>
    public bool TryTake(out int leftOut)
    {
        lock (_gate)
        {
            long now = Environment.TickCount64;
            _credit = Math.Min(LinesBurst, _credit + ((now - _tick) * LinesPerSecond / 1000));
            _tick = now;
            bool taken = _credit >= 1;
            _credit -= taken ? 1 : 0;
            leftOut = taken ? _leftOut : 0;
            _leftOut = taken ? 0 : _leftOut + 1;
            return taken;
        }
    }

    // Enough to see every mistake of honest clients, and what an attack looks like.
    private const double LinesBurst = 200;
    private const double LinesPerSecond = 20;
}
