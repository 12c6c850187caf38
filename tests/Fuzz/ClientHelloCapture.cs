using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Fuzz;

/// <summary>Lets a real client connect and keeps the first record it sends: seeds that nobody could have made up.</summary>
internal static class ClientHelloCapture
{
    /// <summary>Runs a command line, in which {port} is where to connect to, and writes what it sends as seeds of two targets.</summary>
    public static async Task<int> RunAsync(string corpus, string name, string command, IEnumerable<string> arguments)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string port = $"{((IPEndPoint)listener.LocalEndpoint).Port}";
        using var client = Process.Start(new ProcessStartInfo(command, arguments.Select(argument => argument.Replace("{port}", port, StringComparison.Ordinal)))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            byte[] record = await ReadRecordAsync(listener).WaitAsync(TimeSpan.FromSeconds(30));
            await WriteAsync(corpus, "handshake", name, [0, .. record]);
            await WriteAsync(corpus, "client-hello", name, [0, .. record[9..]]);
            return 0;
        }
        finally
        {
            client.Kill(entireProcessTree: true);
        }
    }

    private static async Task<byte[]> ReadRecordAsync(TcpListener listener)
    {
        using TcpClient accepted = await listener.AcceptTcpClientAsync();
        byte[] header = new byte[5];
        await accepted.GetStream().ReadExactlyAsync(header);
        byte[] fragment = new byte[(header[3] << 8) | header[4]];
        await accepted.GetStream().ReadExactlyAsync(fragment);
        return [.. header, .. fragment];
    }

    private static Task WriteAsync(string corpus, string target, string name, byte[] seed) =>
        File.WriteAllBytesAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(corpus, target)).FullName, name), seed);
}
