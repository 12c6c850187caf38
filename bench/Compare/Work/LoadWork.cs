using Bench.Compare.Loads;
using Bench.Compare.Results;

namespace Bench.Compare.Work;

/// <summary>A load that one of the usual programs makes.</summary>
/// <param name="name">As the tables call it.</param>
/// <param name="title">What it is.</param>
/// <param name="unit">What is counted.</param>
/// <param name="suitsRelays">Whether relays can do it.</param>
/// <param name="load">Makes it.</param>
internal sealed class LoadWork(string name, string title, string unit, bool suitsRelays, Func<Scene, Task<LoadOutcome>> load)
    : Workload(name, title, unit, Figure.Cpu)
{
    public override bool SuitsRelays => suitsRelays;

    public override Task WarmUpAsync(Scene scene) => scene.Pace.WarmUpAsync(() => load(scene));

    public override Task<Measurement> MeasureAsync(Scene scene) => scene.MeasureAsync(load);
}
