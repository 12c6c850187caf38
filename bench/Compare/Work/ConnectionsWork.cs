using System.Globalization;
using Bench.Compare.Loads;
using Bench.Compare.Machine;
using Bench.Compare.Results;

namespace Bench.Compare.Work;

/// <summary>Small requests on so many connections, all busy all the time: what a request costs as they grow in number.</summary>
/// <param name="count">Connections.</param>
internal sealed class ConnectionsWork(int count) : Workload(
    $"{GroupName}-{count}", string.Create(CultureInfo.InvariantCulture, $"small GET on {count} busy connections"), "req", Figure.Cpu)
{
    public const string GroupName = "connections";

    /// <summary>The steps that are measured.</summary>
    public static readonly int[] Counts = [1, 10, 100, 1_000, 10_000];

    public int Count => count;

    public override string Group => GroupName;

    public override string Room => GroupName;

    public override int Connections => 2 * Counts[^1];

    // Each step warms up on the connections it then measures.
    public override Task WarmUpAsync(Scene scene) => Task.CompletedTask;

    public override async Task<Measurement> MeasureAsync(Scene scene)
    {
        using HeldConnections held = await HeldConnections.OpenAsync(LocalPort.Peer, count);
        (LoadOutcome outcome, double before, double after) =
            await held.DriveAsync(scene.Pace.Measured, scene.Pace.Measured, () => scene.Processes.CpuSeconds);
        return scene.Describe(outcome, after - before);
    }
}
