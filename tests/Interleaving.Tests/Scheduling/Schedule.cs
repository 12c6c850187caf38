using System.Text;

namespace Interleaving.Tests.Scheduling;

/// <summary>One way in which the threads of a scenario take turns, decided point by point by an <see cref="IChooser"/>.</summary>
internal sealed class Schedule(IChooser chooser, Crew crew)
{
    private readonly List<Actor> _actors = [];
    private readonly List<(char Actor, string Where)> _trace = [];
    private readonly TaskCompletionSource _ended = new();
    private string? _deadlock;

    /// <summary>Runs the actions to their ends, one point at a time.</summary>
    /// <exception cref="InterleavingException">One of them failed, or all wait for each other.</exception>
    /// <exception cref="TimeoutException">One waits where the schedule has no say.</exception>
    public void Run(IReadOnlyList<Action> actions)
    {
        for (int i = 0; i < actions.Count; i++)
        {
            Actor actor = new(this, (char)('A' + i));
            Action action = actions[i];
            _actors.Add(actor);
            crew.Start(i, () => actor.Run(action));
        }

        GiveTurn(null);
        if (!_ended.Task.Wait(StuckMilliseconds))
        {
            throw new TimeoutException($"The schedule does not end: an actor waits for something that is not woven. The turns:{this}");
        }

        if (_deadlock is { } deadlock)
        {
            throw new InterleavingException(deadlock, this);
        }

        crew.AwaitAll(actions.Count);
        Actor? failed = _actors.Find(actor => actor.Failure != null);
        _actors.ForEach(actor => actor.Dispose());
        if (failed != null)
        {
            throw InterleavingException.From($"{failed.Name} failed: {failed.Failure!.Message}", this, failed.Failure);
        }
    }

    /// <summary>The actor with the turn is about to do this; perhaps another one goes first.</summary>
    public void Point(Actor actor, string where)
    {
        _trace.Add((actor.Name, where));
        if (_trace.Count > PointsMax)
        {
            throw new InvalidOperationException("The schedule has no end.");
        }

        if (GiveTurn(actor) != actor)
        {
            actor.AwaitTurn();
        }
    }

    public void Finished(Actor actor)
    {
        _trace.Add((actor.Name, "ends"));
        GiveTurn(actor);
    }

    public void WakeAll() => _actors.ForEach(actor => actor.IsWaiting = false);

    /// <summary>The turns, those of one actor in a row on one line.</summary>
    public override string ToString()
    {
        StringBuilder story = new();
        char last = '\0';
        foreach ((char actor, string where) in _trace)
        {
            _ = actor == last ? story.Append(", ") : story.Append($"\n  {actor}: ");
            _ = story.Append(where);
            last = actor;
        }

        return story.ToString();
    }

    private Actor? GiveTurn(Actor? current)
    {
        List<Actor> ready = _actors.FindAll(actor => !actor.IsDone && !actor.IsWaiting);
        if (ready.Count == 0)
        {
            _deadlock = _actors.TrueForAll(actor => actor.IsDone) ? null : "All wait for each other.";
            _ended.SetResult();
            return null;
        }

        // Who can go on comes first, so that the first choice is never a preemption.
        bool goesOn = current != null && ready.Remove(current);
        if (goesOn)
        {
            ready.Insert(0, current!);
        }

        Actor next = ready[ready.Count == 1 ? 0 : chooser.Choose(ready.Count, goesOn)];
        if (next != current)
        {
            next.Give();
        }

        return next;
    }

    private const int StuckMilliseconds = 60_000;
    private const int PointsMax = 100_000;
}
