using Bench.Compare.Peers;
using Bench.Compare.Work;

namespace Bench.Compare.Results;

/// <summary>All rounds of one workload.</summary>
internal sealed class WorkResults
{
    private readonly List<Measurement> _rows;

    private WorkResults(Workload work, List<Measurement> rows) => (Work, _rows) = (work, rows);

    public Workload Work { get; }

    /// <summary>In the order in which they first took part.</summary>
    public IEnumerable<string> Peers => _rows.Select(row => row.Peer).Distinct();

    public IEnumerable<Measurement> Invalid => _rows.Where(row => row.Error is not null);

    public static IEnumerable<WorkResults> Group(IReadOnlyList<Measurement> rows) =>
        from work in WorkCatalogue.All
        let mine = rows.Where(row => row.Work == work.Name).OrderBy(row => row.Round).ToList()
        where mine.Count > 0
        select new WorkResults(work, mine);

    /// <summary>Over the valid rounds of a peer.</summary>
    public Spread? Of(string peer, Func<Measurement, double?> number) =>
        Spread.Of(_rows.Where(row => row.Peer == peer && row.Error is null).Select(number));

    public Spread? Figure(string peer) => Of(peer, row => row.Of(Work.Figure));

    /// <summary>
    /// Ours against a peer, round by round: what disturbs a round disturbs both, and cancels out. Below one we
    /// are cheaper.
    /// </summary>
    public Spread? OursTo(string peer) => Spread.Of(
        from theirs in _rows
        where theirs.Peer == peer
        from ours in _rows
        where ours.Peer == Peer.Ours && ours.Round == theirs.Round
        select ours.Of(Work.Figure) / theirs.Of(Work.Figure));
}
