namespace Interleaving.Tests.Scheduling;

/// <summary>One thread of a schedule. It runs only while it has the turn, so of all actors one runs at a time.</summary>
internal sealed class Actor(Schedule schedule, char name) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(0);

    public char Name { get; } = name;

    /// <summary>Waits for a lock that another actor holds.</summary>
    public bool IsWaiting { get; set; }

    public bool IsDone { get; private set; }

    public Exception? Failure { get; private set; }

    public void Give() => _turn.Release();

    public void Point(string where) => schedule.Point(this, where);

    public void Wait()
    {
        IsWaiting = true;
        schedule.Point(this, "waits for the lock");
    }

    public void Left() => schedule.WakeAll();

    public void AwaitTurn() => _turn.Wait();

    public void Run(Action action)
    {
        AwaitTurn();
        Turn.Actor = this;
        try
        {
            action();
        }
        catch (Exception failure)
        {
            Failure = failure;
        }

        Turn.Actor = null;
        IsDone = true;
        schedule.Finished(this);
    }

    public void Dispose() => _turn.Dispose();
}
