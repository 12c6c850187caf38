using Bench.Compare.Loads;
using Bench.Compare.Origins;

namespace Bench.Compare.Work;

/// <summary>Every workload there is.</summary>
internal static class WorkCatalogue
{
    public static readonly IReadOnlyList<Workload> All =
    [
        new LoadWork("get", "small GET, keep-alive, 64 connections", "req", suitsRelays: true,
            Scene.GetAsync),
        new LoadWork("get64k", "64 KiB GET, keep-alive, 16 connections", "req", suitsRelays: true,
            scene => Wrk.RunAsync(Scene.Url("/64k"), 16, scene.Pace.Measured)),
        new LoadWork("down", "download, 4 x 256 MiB at once", "GB", suitsRelays: true,
            _ => Curl.DownloadAsync(Scene.Url("/256m"), clients: 4)),
        new LoadWork("up", "upload, 4 x 256 MiB at once, with Content-Length", "GB", suitsRelays: false,
            scene => Curl.UploadAsync(Scene.Url("/upload"), BenchOrigin.UploadFile(scene.Folder), clients: 4)),
        new LoadWork("hs", "full handshake, one small GET, close; 16 at once", "conn", suitsRelays: true,
            scene => Wrk.RunAsync(Scene.Url("/"), 16, scene.Pace.Measured, "Connection: close")),
        new LoadWork("h2", "small GET over HTTP/2, 8 connections x 16 streams", "req", suitsRelays: false,
            scene => H2Load.RunAsync(scene.Folder, Scene.Url("/"), 8, 16, scene.Pace.Measured)),
        new MixedWork(),
        new IdleWork(),
        .. ConnectionsWork.Counts.Select(count => new ConnectionsWork(count)),
    ];

    /// <summary>What is measured when nothing is named: all but the long series over connections.</summary>
    public static readonly string[] Usual = [.. All.Select(work => work.Group).Where(group => group != ConnectionsWork.GroupName)];

    /// <summary>The names --work takes.</summary>
    public static readonly string[] Groups = [.. All.Select(work => work.Group).Distinct()];
}
