using Bench.Compare.Loads;
using Bench.Compare.Origins;
using Bench.Compare.Results;

namespace Bench.Compare.Work;

/// <summary>Small requests of many clients while one client uploads without pause: what the many feel of the one.</summary>
internal sealed class MixedWork() : Workload("mixed", "small GET, 64 connections, beside one bulk upload", "req", Figure.Latency99)
{
    public override bool SuitsRelays => false;

    public override Task WarmUpAsync(Scene scene) => scene.Pace.WarmUpAsync(() => MeasureAsync(scene));

    public override async Task<Measurement> MeasureAsync(Scene scene)
    {
        using CancellationTokenSource enough = new();
        Task<(double Gigabytes, string? Error)> bulk = UploadUntilAsync(scene, enough.Token);
        Measurement small = await scene.MeasureAsync(Scene.GetAsync);
        await enough.CancelAsync();
        (double gigabytes, string? error) = await bulk;
        return small with { BesideGigabytes = gigabytes, Error = small.Error ?? error };
    }

    // The last upload is let finish, so that its bytes are verified like the others; it may outlast the small requests a little.
    private static async Task<(double Gigabytes, string? Error)> UploadUntilAsync(Scene scene, CancellationToken enough)
    {
        double gigabytes = 0;
        string? error = null;
        while (error is null && !enough.IsCancellationRequested)
        {
            LoadOutcome upload = await Curl.UploadAsync(Scene.Url("/upload"), BenchOrigin.UploadFile(scene.Folder), clients: 1);
            gigabytes += upload.Quantity;
            error = upload.Error;
        }

        return (gigabytes, error);
    }
}
