using Bench.Compare.Results;

namespace Bench.Compare.Work;

/// <summary>What all peers are made to do, one after the other.</summary>
/// <param name="name">As the tables and files call it.</param>
/// <param name="title">What it is, for people.</param>
/// <param name="unit">What is counted, singular.</param>
/// <param name="figure">What peers are compared by.</param>
internal abstract class Workload(string name, string title, string unit, Figure figure)
{
    public string Name => name;

    public string Title => title;

    public string Unit => unit;

    public Figure Figure => figure;

    /// <summary>As --work calls it; several workloads may share one.</summary>
    public virtual string Group => Name;

    /// <summary>Workloads of the same room run against one process of the peer; each room has a new one.</summary>
    public virtual string Room => "loads";

    /// <summary>False for what needs HTTP/2, or the origin chosen by path.</summary>
    public virtual bool SuitsRelays => true;

    /// <summary>Connections of clients the peer must have room for.</summary>
    public virtual int Connections => 256;

    /// <summary>Makes a .NET peer as fast as it gets at this very work.</summary>
    public abstract Task WarmUpAsync(Scene scene);

    public abstract Task<Measurement> MeasureAsync(Scene scene);
}
