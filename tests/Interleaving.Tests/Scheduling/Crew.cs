namespace Interleaving.Tests.Scheduling;

/// <summary>Threads that outlive a schedule, because there are thousands of schedules.</summary>
internal sealed class Crew : IDisposable
{
    private readonly List<Member> _members = [];

    /// <summary>Has the thread of this number do something.</summary>
    public void Start(int member, Action action)
    {
        if (member == _members.Count)
        {
            _members.Add(new Member());
        }

        _members[member].Start(action);
    }

    /// <summary>Waits until the first so many have done it.</summary>
    public void AwaitAll(int count) => _members.GetRange(0, count).ForEach(member => member.AwaitEnd());

    public void Dispose() => _members.ForEach(member => member.Dispose());

    private sealed class Member : IDisposable
    {
        private readonly SemaphoreSlim _begin = new(0);
        private readonly SemaphoreSlim _end = new(0);
        private Action? _action;

        public Member() => new Thread(Work, StackBytes) { IsBackground = true }.Start();

        public void Start(Action action)
        {
            _action = action;
            _begin.Release();
        }

        public void AwaitEnd() => _end.Wait();

        // Ends the thread, unless a schedule that failed has left it waiting for a turn that never comes.
        public void Dispose()
        {
            _action = null;
            _begin.Release();
        }

        private void Work()
        {
            while (true)
            {
                _begin.Wait();
                if (_action is not { } action)
                {
                    return;
                }

                action();
                _end.Release();
            }
        }

        private const int StackBytes = 256 << 10;
    }
}
