using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using TestKit.Processes;

/// <summary>
/// Runs inside the built proxy (DOTNET_STARTUP_HOOKS) and tells the test what the proxy's own meters say: the product has no endpoint for them
/// yet, and nothing of it has to change to be measured. The runtime demands this name, outside any namespace.
/// </summary>
internal static class StartupHook
{
    private static readonly ConcurrentDictionary<string, long> Figures = new();

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(ProxyMeters.SocketVariable) is { Length: > 0 } path)
        {
            new Thread(() => Serve(path)) { IsBackground = true, Name = "meters" }.Start();
        }
    }

    private static void Serve(string path)
    {
        using MeterListener meters = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "TlsProxy.Transport")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
            Figures.AddOrUpdate(instrument.Name, value, (_, before) => instrument.IsObservable ? value : before + value));
        meters.Start();
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();

        // One connection for all looks: a proxy that has no descriptor left can still be asked.
        using Socket test = listener.Accept();
        byte[] order = new byte[1];
        while (test.Receive(order) == 1)
        {
            if (order[0] == ProxyMeters.OriginsOrder)
            {
                test.Send(Encoding.ASCII.GetBytes(CountOutgoing().ToString(CultureInfo.InvariantCulture) + "\n"));
                continue;
            }

            if (order[0] == ProxyMeters.CollectOrder)
            {
                Collect();
            }

            meters.RecordObservableInstruments();
            Figures[ProxyMeters.Managed] = GC.GetTotalMemory(forceFullCollection: false);
            Figures[ProxyMeters.Descriptors] = CountDescriptors();
            string line = string.Join(' ', Figures.Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Key}={figure.Value}")));
            test.Send(Encoding.ASCII.GetBytes(line + "\n"));
        }
    }

    // Twice: what finalizers let go of is garbage only then.
    private static void Collect()
    {
        for (int round = 0; round < 2; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private static long CountDescriptors()
    {
        try
        {
            // Sockets, pipes, queues; not the assemblies that the runtime opens when it first needs them and keeps.
            return new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos().LongCount(entry => entry.LinkTarget?.StartsWith('/') == false);
        }
        catch (IOException)
        {
            // Not one descriptor is left to look with.
            return ProxyMeters.AllDescriptors;
        }
    }

    // The process is not dumpable: nobody else may see which sockets are its own.
    private static int CountOutgoing()
    {
        HashSet<string> own = [.. new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos().Select(entry => entry.LinkTarget).OfType<string>()];

        // proc_pid_net(5): local address in the second column, state in the fourth (0A listens), inode in the tenth.
        string[][] sockets = [.. File.ReadLines("/proc/self/net/tcp").Concat(File.ReadLines("/proc/self/net/tcp6"))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => own.Contains($"socket:[{words[9]}]"))];
        HashSet<string> listening = [.. sockets.Where(words => words[3] == "0A").Select(words => PortIn(words[1]))];
        return sockets.Count(words => !listening.Contains(PortIn(words[1])));
    }

    private static string PortIn(string address) => address[address.IndexOf(':')..];
}
