using System.Globalization;
using Bench.Compare.Loads;
using Bench.Compare.Machine;
using Bench.Compare.Results;

namespace Bench.Compare.Work;

/// <summary>
/// Small requests on so many connections, each in its turn: what a request costs as they grow in number. Only
/// so many requests are under way at once, or else it would be the number of connections to the origin that grows.
/// </summary>
/// <param name="count">Connections.</param>
internal sealed class ConnectionsWork(int count) : Workload(
    $"{GroupName}-{count}", string.Create(CultureInfo.InvariantCulture, $"small GET on {count} connections, at most {HeldConnections.BusyMax} requests at once"), "req", Figure.Cpu)
{
    public const string GroupName = "connections";

    /// <summary>The steps that are measured.</summary>
    public static readonly int[] Counts = [1, 10, 100, 1_000, 10_000];

    public int Count => count;

    public override string Group => GroupName;

    public override string Room => GroupName;

    public override int Connections => count + 100;

    // A relay holds a connection to the origin for each client: more files than most machines let a process open.
    public override bool SuitsRelays => count <= 1_000;

    // The process is warm after the first step; each step gets used to its own connections before it is measured.
    public override Task WarmUpAsync(Scene scene) =>
        count == Counts[0] ? scene.Pace.WarmUpAsync(() => Scene.GetAsync(scene)) : Task.CompletedTask;

    public override async Task<Measurement> MeasureAsync(Scene scene)
    {
        using HeldConnections held = await HeldConnections.OpenAsync(LocalPort.Peer, count);
        (LoadOutcome outcome, double before, double after) =
            await held.DriveAsync(scene.Pace.Measured, scene.Pace.Measured, () => scene.Processes.CpuSeconds);
        return scene.Describe(outcome, after - before);
    }
}
