using System.Globalization;
using System.Net.Sockets;
using Aead;
using Aead.Pages;
using Aead.Records;
using Kernel.Tests.Leaks;
using Ktls;
using Ktls.Handshake;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Kernel.Tests.Transport;

/// <summary>
/// The transport with very many connections at once. Their handshakes are left out, because a thousand of them would be all that is measured:
/// both sides start with keys they agree on.
/// </summary>
internal sealed class KernelCrowd : IAsyncDisposable
{
    private readonly KeyedServer _server = new(
        new PagePolicy { BytesMax = 64 << 20, Delivery = Delivery.Flip },
        new KernelSupport(new MachineProbe()),
        new KernelPolicy { Transmit = KernelUse.On, Receive = KernelUse.On, Accept = [KernelRelease.Read().Name] });

    public KernelCrowd() => Assert.Null(_server.Transport.EnableHiddenReceive());

    /// <summary>Slots that a consumer or a read holds, over all loops. Between turns no read does.</summary>
    public int SlotsInUse => Loops.Sum(loop => loop.Hidden!.Pages.Slots - loop.Hidden.Pages.SlotsFree);

    /// <summary>One for each loop.</summary>
    public int Rings => Loops.Length;

    /// <summary>Connections that have not left.</summary>
    public int Open => _server.Open;

    /// <summary>Threads that the kernel makes for reads that wait (io_uring's workers).</summary>
    public static int KernelThreads => OfThreads("comm").Count(name => name.StartsWith("iou-", StringComparison.Ordinal));

    /// <summary>Processor time of the loops and of threads the kernel made for their reads, and not of the runtime and the test.</summary>
    public static TimeSpan ProcessorTime => TimeSpan.FromSeconds(OfThreads("stat")
        .Where(stat => stat.Contains("(tls-loop", StringComparison.Ordinal) || stat.Contains("(iou-", StringComparison.Ordinal))
        .Select(stat => stat[(stat.LastIndexOf(')') + 2)..].Split(' '))
        // proc_pid_stat(5): fields 14 and 15, utime and stime; the third is the first of these.
        .Sum(fields => int.Parse(fields[11], CultureInfo.InvariantCulture) + int.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond);

    /// <summary>
    /// Open sockets, rings and event queues of this process. Not files: the runtime keeps the assemblies open that it has met so far.
    /// </summary>
    public static int Descriptors => new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos()
        .Select(entry => entry.LinkTarget)
        .Count(target => target != null
            && (target.StartsWith("socket:", StringComparison.Ordinal) || target.StartsWith("anon_inode:", StringComparison.Ordinal)));

    // sysconf(_SC_CLK_TCK), which Linux fixes for everything under /proc.
    private const double TicksPerSecond = 100;

    private static IEnumerable<string> OfThreads(string file)
    {
        foreach (string thread in Directory.GetDirectories("/proc/self/task"))
        {
            string? text = null;
            try
            {
                text = File.ReadAllText(Path.Combine(thread, file));
            }
            catch (IOException)
            {
                // It ended since it was listed.
            }

            if (text is not null)
            {
                yield return text;
            }
        }
    }

    private EventLoop[] Loops => _server.Transport.Loops.ToArray();

    /// <summary>A connection with both directions in the kernel, and its client.</summary>
    public (TlsConnection Server, Client Client) Connect(CipherSuite suite)
    {
        HandshakeResult result = new()
        {
            Suite = suite,
            ClientKeys = RecordSender.Keys(suite),
            ServerKeys = RecordSender.Keys(suite),
        };
        (TlsConnection connection, Socket client) = _server.Connect(result);
        Assert.Equal(new RecordLayers(null, null), connection.Layers);
        return (connection, new Client(suite, client));
    }

    /// <summary>Reads until the connection ends, as Kestrel does, and gives it back.</summary>
    /// <returns>How many bytes came.</returns>
    public static async Task<long> ConsumeAsync(TlsConnection connection)
    {
        long bytes = 0;
        try
        {
            bool completed = false;
            while (!completed)
            {
                System.IO.Pipelines.ReadResult read = await connection.Input.ReadAsync();
                bytes += read.Buffer.Length;
                connection.Input.AdvanceTo(read.Buffer.End);
                completed = read.IsCompleted;
            }
        }
        catch (Exception ended) when (ended is ConnectionResetException or ConnectionAbortedException)
        {
            // The client's doing, or the test's.
        }

        await connection.DisposeAsync();
        return bytes;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>The other side, which makes its records itself.</summary>
    public sealed class Client(CipherSuite suite, Socket socket) : IDisposable
    {
        private readonly RecordEncryptor _encryptor = new(RecordSender.Keys(suite));

        /// <summary>One record, or only its first bytes.</summary>
        public void Send(int contentLength, int bytesMax = int.MaxValue)
        {
            byte[] record = _encryptor.Seal(ContentType.ApplicationData, RecordSender.Good(contentLength));
            socket.Send(record.AsSpan(0, Math.Min(record.Length, bytesMax)));
        }

        public void Dispose()
        {
            _encryptor.Dispose();
            socket.Dispose();
        }
    }
}
