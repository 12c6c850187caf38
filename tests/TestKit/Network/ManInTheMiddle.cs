using System.Net;
using System.Net.Sockets;
using Aead;

namespace TestKit.Network;

/// <summary>
/// A TCP relay between one client and the proxy. It knows nothing but record boundaries, as an attacker on
/// the path does, and interferes with one record; everything else, FIN included, passes as it came.
/// </summary>
public sealed class ManInTheMiddle : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly TaskCompletionSource _interfered =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Interference _interference;
    private readonly int _serverPort;
    private readonly Task _relaying;
    private volatile bool _clientFinished;

    public ManInTheMiddle(int serverPort, Interference interference)
    {
        _serverPort = serverPort;
        _interference = interference;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1);
        _relaying = RelayAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>
    /// Completes once the record has been interfered with: a test that never gets there proves nothing.
    /// </summary>
    public Task Interfered => _interfered.Task.WaitAsync(Timeouts.Exchange);

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _relaying.WaitAsync(Timeouts.Exchange);
    }

    private async Task RelayAsync()
    {
        try
        {
            using Socket client = await _listener.AcceptAsync();
            using Socket server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await server.ConnectAsync(IPAddress.Loopback, _serverPort);
            client.NoDelay = server.NoDelay = true;
            Task toServer = RelayDirectionAsync(client, server, toServer: true);
            Task toClient = RelayDirectionAsync(server, client, toServer: false);
            await Task.WhenAll(toServer, toClient);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One side hung up, or the test ended; either way both sockets close here.
        }
    }

    private async Task RelayDirectionAsync(Socket from, Socket to, bool toServer)
    {
        try
        {
            int applicationRecords = 0;
            bool passing = true;
            while (await ReadRecordAsync(from) is { } record)
            {
                bool interfere = IsApplicationData(record, toServer)
                    && ++applicationRecords == _interference.ApplicationRecord
                    && toServer == _interference.ToServer;
                passing = passing && await TryPassAsync(record, from, to, interfere);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Reset(to);
            return;
        }

        await TryPassAsync(null, from, to, interfere: false);
    }

    /// <summary>
    /// Passes a record, or FIN for null. False: nothing more passes in this direction. What the other
    /// direction still carries, an alert perhaps, is not cut off by that.
    /// </summary>
    private async Task<bool> TryPassAsync(byte[]? record, Socket from, Socket to, bool interfere)
    {
        try
        {
            if (record is null)
            {
                to.Shutdown(SocketShutdown.Send);
                return false;
            }

            if (interfere)
            {
                bool passing = await InterfereAsync(record, from, to);
                _interfered.TrySetResult();
                return passing;
            }

            await to.SendAsync(record);
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>False: nothing more passes in this direction.</summary>
    private async Task<bool> InterfereAsync(byte[] record, Socket from, Socket to)
    {
        switch (_interference.Kind)
        {
            case InterferenceKind.FlipBit:
                record[HeaderLength + (record.Length - HeaderLength) / 2] ^= 1;
                await to.SendAsync(record);
                return true;
            case InterferenceKind.Drop:
                return true;
            case InterferenceKind.Repeat:
                await to.SendAsync(record);
                await to.SendAsync(record);
                return true;
            case InterferenceKind.Swap:
                await to.SendAsync(await ReadRecordAsync(from) ?? []);
                await to.SendAsync(record);
                return true;
            case InterferenceKind.Truncate:
                await to.SendAsync(record.AsMemory(0, record.Length / 2));
                to.Shutdown(SocketShutdown.Send);
                return false;
            case InterferenceKind.Finish:
                to.Shutdown(SocketShutdown.Send);
                return false;
            default:
                Reset(to);
                return false;
        }
    }

    private bool IsApplicationData(byte[] record, bool toServer)
    {
        if (record[0] != ApplicationData)
        {
            return false;
        }

        if (_interference.Version == TlsVersion.Tls12)
        {
            return true;
        }

        bool counts = _clientFinished;
        _clientFinished |= toServer;
        return counts;
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Already gone.
        }

        socket.Dispose();
    }

    private static async Task<byte[]?> ReadRecordAsync(Socket from)
    {
        byte[] header = new byte[HeaderLength];
        if (!await FillAsync(from, header))
        {
            return null;
        }

        byte[] record = new byte[HeaderLength + (header[3] << 8 | header[4])];
        header.CopyTo(record, 0);
        return await FillAsync(from, record.AsMemory(HeaderLength)) ? record : null;
    }

    private static async Task<bool> FillAsync(Socket from, Memory<byte> destination)
    {
        while (destination.Length > 0)
        {
            int count = await from.ReceiveAsync(destination);
            if (count == 0)
            {
                return false;
            }

            destination = destination[count..];
        }

        return true;
    }

    // RFC 8446 §5.1: type, legacy version, length; application_data is 23.
    private const int HeaderLength = 5;
    private const byte ApplicationData = 23;
}
