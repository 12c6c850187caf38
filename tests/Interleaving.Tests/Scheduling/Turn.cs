namespace Interleaving.Tests.Scheduling;

/// <summary>What woven code calls. Does nothing on threads that no schedule controls.</summary>
public static class Turn
{
    [ThreadStatic]
    private static Actor? t_actor;

    internal static Actor? Actor
    {
        get => t_actor;
        set => t_actor = value;
    }

    /// <summary>Here another thread may go on.</summary>
    /// <param name="where">What is about to happen.</param>
    public static void Point(string where) => t_actor?.Point(where);

    /// <summary>Enters a lock when the schedule lets it.</summary>
    public static Lock.Scope Enter(Lock gate)
    {
        if (t_actor is { } actor)
        {
            actor.Point("lock");
            while (!gate.TryEnter())
            {
                actor.Wait();
            }

            gate.Exit();
        }

        return gate.EnterScope();
    }

    /// <summary>A lock was left: whoever waits may try again.</summary>
    public static void Left() => t_actor?.Left();
}
