using Bench.Compare.Loads;
using Bench.Compare.Machine;
using Bench.Compare.Results;

namespace Bench.Compare.Work;

/// <summary>One running peer, and what is needed to measure it.</summary>
/// <param name="Folder">Holds the file to upload and takes logs.</param>
/// <param name="Processes">The peer's.</param>
/// <param name="Pace">How long everything takes.</param>
internal sealed record Scene(string Folder, ProcessTree Processes, Pace Pace)
{
    public static string Url(string path) => $"https://127.0.0.1:{LocalPort.Peer}{path}";

    /// <summary>The commonest load.</summary>
    public static Task<LoadOutcome> GetAsync(Scene scene) => Wrk.RunAsync(Url("/"), 64, scene.Pace.Measured);

    /// <summary>Runs a load and reads the peer's meters around it.</summary>
    public async Task<Measurement> MeasureAsync(Func<Scene, Task<LoadOutcome>> load)
    {
        double before = Processes.CpuSeconds;
        LoadOutcome outcome = await load(this);
        return Describe(outcome, Processes.CpuSeconds - before);
    }

    public Measurement Describe(LoadOutcome outcome, double cpuSeconds) => new()
    {
        Quantity = outcome.Quantity,
        Seconds = outcome.Seconds,
        CpuSeconds = cpuSeconds,
        Latency = outcome.Latency,
        PssBytes = Processes.PssBytes,
        Error = outcome.Error ?? (outcome.Quantity > 0 ? null : "the load did nothing"),
    };
}
