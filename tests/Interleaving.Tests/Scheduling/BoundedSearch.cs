namespace Interleaving.Tests.Scheduling;

/// <summary>
/// Every way with at most so many preemptions, one after the other, depth first. Few preemptions are enough for nearly every known race
/// (Musuvathi and Qadeer, Iterative Context Bounding, PLDI 2007), and their ways can be counted.
/// </summary>
internal sealed class BoundedSearch(int preemptionsMax) : IChooser
{
    private readonly List<(int Choice, int Count)> _path = [];
    private int _depth;
    private int _preemptions;

    public int Choose(int count, bool firstGoesOn)
    {
        if (firstGoesOn && _preemptions == preemptionsMax)
        {
            return 0;
        }

        if (_depth == _path.Count)
        {
            _path.Add((0, count));
        }

        (int choice, int former) = _path[_depth++];
        if (former != count)
        {
            throw new InvalidOperationException("The scenario is not the same every time, so its ways cannot be counted.");
        }

        _preemptions += firstGoesOn && choice > 0 ? 1 : 0;
        return choice;
    }

    /// <summary>Goes to the next way.</summary>
    /// <returns>False: there is none left.</returns>
    public bool Next()
    {
        (_depth, _preemptions) = (0, 0);
        while (_path.Count > 0)
        {
            (int choice, int count) = _path[^1];
            _path.RemoveAt(_path.Count - 1);
            if (choice + 1 < count)
            {
                _path.Add((choice + 1, count));
                return true;
            }
        }

        return false;
    }
}
