using System.Net.Sockets;
using System.Security.Authentication;
using Bench.Compare.Loads;
using Bench.Compare.Machine;
using Bench.Compare.Origins;
using Bench.Compare.Peers;
using Bench.Compare.Results;
using Bench.Compare.Work;

namespace Bench.Compare;

/// <summary>
/// The rounds. Each runs every peer, in an order that moves on by one from round to round, so that what grows
/// worse or better with time hits everybody.
/// </summary>
internal sealed class Comparison(CommandLine line, string folder)
{
    private readonly List<Measurement> _rows = [];

    public async Task<ResultFile> RunAsync()
    {
        ThrowIfDescriptorsAreFew();
        int connections = line.Work.Max(work => work.Connections);
        PeerSetting setting = new(folder, line.Published, new ServerCertificate(folder), Environment.ProcessorCount, connections);
        List<Peer> peers = PeerCatalogue.Create(setting, line.Peers, line.Variants);
        MachineFacts machine = await MachineFacts.ReadAsync();
        await using BenchOrigin origin = await BenchOrigin.StartAsync(folder);
        ResultFile file = new(machine, PeerTls.Description, _rows);
        for (int round = 0; round < line.Rounds; round++)
        {
            for (int i = 0; i < peers.Count; i++)
            {
                await MeasureAsync(round, peers[(i + round) % peers.Count], origin);
            }

            // After each round, so that a run that is cut short was not for nothing.
            if (line.JsonFile is { } path)
            {
                file.Save(path);
            }
        }

        return file;
    }

    private async Task MeasureAsync(int round, Peer peer, BenchOrigin origin)
    {
        IEnumerable<IGrouping<string, Workload>> rooms =
            line.Work.Where(work => peer.Kind == PeerKind.HttpProxy || work.SuitsRelays).GroupBy(work => work.Room);
        foreach (IGrouping<string, Workload> works in rooms)
        {
            await using ChildProgram program = await ChildProgram.ServeAsync(peer.Name, LocalPort.Peer, peer.Command, peer.Environment);
            await PeerTls.VerifyAsync(peer);
            Scene scene = new(folder, new ProcessTree(program.Id), line.Pace);
            await Wrk.RunAsync(Scene.Url("/"), 64, peer.IsDotNet ? scene.Pace.FirstWarmUp : TimeSpan.FromSeconds(1));
            foreach (Workload work in works)
            {
                if (peer.IsDotNet)
                {
                    await work.WarmUpAsync(scene);
                }

                Measurement row = await TryAsync(work, scene);
                program.ThrowIfEnded();
                origin.ThrowIfEnded();
                Keep(row with { Round = round, Work = work.Name, Peer = peer.Name }, work);
            }
        }
    }

    private static async Task<Measurement> TryAsync(Workload work, Scene scene)
    {
        try
        {
            return await work.MeasureAsync(scene);
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException)
        {
            return new Measurement { Error = e.Message };
        }
    }

    private void Keep(Measurement row, Workload work)
    {
        _rows.Add(row);
        string figure = row.Error is { } error
            ? $"INVALID: {error}"
            : $"{FigureText.Number(work, row.Of(work.Figure)),9} {FigureText.Unit(work),-12}";
        Console.Error.WriteLine($"round {row.Round + 1}  {row.Work,-18} {row.Peer,-14} {figure}");
    }

    // A relay needs one for each client and one for its origin; the others share few origins' among their clients.
    private void ThrowIfDescriptorsAreFew()
    {
        long needed = line.Work.Max(work => work.Connections * (work.SuitsRelays ? 2 : 1)) + 1000;
        if (MachineFacts.DescriptorsMax() is { } limit && limit < needed)
        {
            throw new BenchException($"A process may open {limit} files, and this work needs {needed}; raise it: ulimit -n {needed}.");
        }
    }
}
