using Bench.Compare.Loads;
using Bench.Compare.Machine;
using Bench.Compare.Results;

namespace Bench.Compare.Work;

/// <summary>
/// What a connection costs that has had one answer and waits: the growth of the peer's memory, after a while,
/// without asking its collector for anything.
/// </summary>
internal sealed class IdleWork() : Workload("idle", $"{Count} idle TLS connections, each after one GET", "conn", Figure.ConnectionBytes)
{
    // Memory that earlier loads left behind would be used again, and the connections seem free.
    public override string Room => Name;

    public override int Connections => Count + 100;

    public override Task WarmUpAsync(Scene scene) => scene.Pace.WarmUpAsync(() => Scene.GetAsync(scene));

    public override async Task<Measurement> MeasureAsync(Scene scene)
    {
        await Task.Delay(scene.Pace.Settling);
        double cpu = scene.Processes.CpuSeconds;
        long before = Pss(scene);
        using HeldConnections held = await HeldConnections.OpenAsync(LocalPort.Peer, Count);
        await Task.Delay(scene.Pace.Settling);
        LoadOutcome opened = new(Count, scene.Pace.Settling.TotalSeconds, null, null);
        return scene.Describe(opened, scene.Processes.CpuSeconds - cpu) with { ConnectionBytes = (Pss(scene) - before) / (double)Count };
    }

    private static long Pss(Scene scene) =>
        scene.Processes.PssBytes ?? throw new BenchException("Memory of a process that is not dumpable is for root to see: run bench/run as root.");

    private const int Count = 2000;
}
