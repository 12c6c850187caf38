using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Aead.Pages;
using Ktls.Backends;
using Ktls.Tests.Kernel;
using Ktls.Tests.Transport;
using Ktls.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using TestKit;
using Xunit;

namespace Ktls.Tests.Backends;

public sealed class BackendStreamTests : IAsyncDisposable
{
    private readonly PagePool _pages = PagePool.Create(new PagePolicy { BytesMax = 16 << 20, Delivery = Delivery.Copy }, TransportResources.Stages);
    private readonly TlsTransportFactory _transport;
    private readonly BackendConnector _connector;
    private readonly TcpListener _backend = new(IPAddress.Loopback, 0);

    public BackendStreamTests()
    {
        _transport = new TlsTransportFactory(_pages, new TransportHost.SharedMemory(), new NoKernelSupport(), NullLoggerFactory.Instance);
        _connector = new BackendConnector(_transport);
        _backend.Start();
    }

    [Fact]
    public async Task Reads_resume_on_the_loop_that_was_asked_for()
    {
        for (int loop = 0; loop < BackendConnector.LoopCount; loop++)
        {
            (Stream stream, Socket peer) = await ConnectAsync(loop);
            Task<int> pending = stream.ReadAsync(new byte[8]).AsTask();
            Assert.False(pending.IsCompleted);
            TaskCompletionSource<EventLoop?> resumedOn = new();
            _ = ReadThen(pending, () => resumedOn.SetResult(EventLoop.Current));
            peer.Send("hello"u8);
            Assert.Same(_transport.Resources.Loops[loop], await resumedOn.Task.WaitAsync(Timeouts.Exchange));
        }

        static async Task ReadThen(Task<int> read, Action then)
        {
            await read.ConfigureAwait(false);
            then();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(65536)]
    public async Task A_large_body_arrives_whole_both_ways_at_once(int readBytes)
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        byte[] body = new byte[readBytes == 1 ? 20_000 : 8 << 20];
        Random.Shared.NextBytes(body);
        using NetworkStream far = new(peer);
        Task echo = Task.Run(() => far.CopyToAsync(far));
        Task write = stream.WriteAsync(body).AsTask();
        byte[] back = new byte[body.Length];
        for (int read = 0; read < back.Length;)
        {
            int some = await stream.ReadAsync(back.AsMemory(read, Math.Min(readBytes, back.Length - read))).AsTask().WaitAsync(Timeouts.Exchange);
            Assert.NotEqual(0, some);
            read += some;
        }

        await write.WaitAsync(Timeouts.Exchange);
        Assert.Equal(body, back);
        await stream.DisposeAsync();
        await echo.WaitAsync(Timeouts.Exchange);
    }

    [Fact]
    public async Task A_fin_behind_data_is_the_end_after_the_data()
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        peer.Send("last words"u8);
        peer.Shutdown(SocketShutdown.Send);
        byte[] buffer = new byte[64];
        Assert.Equal(10, await stream.ReadAsync(buffer).AsTask().WaitAsync(Timeouts.Exchange));
        Assert.Equal(0, await stream.ReadAsync(buffer).AsTask().WaitAsync(Timeouts.Exchange));
        Assert.Equal(0, await stream.ReadAsync(buffer).AsTask().WaitAsync(Timeouts.Exchange));
        await stream.WriteAsync("still heard"u8.ToArray());
        Assert.Equal(11, peer.Receive(buffer));
    }

    [Fact]
    public async Task A_read_into_no_room_waits_for_data_and_takes_none()
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        Task<int> nothing = stream.ReadAsync(Memory<byte>.Empty).AsTask();
        await Task.Delay(50);
        Assert.False(nothing.IsCompleted);
        peer.Send("x"u8);
        Assert.Equal(0, await nothing.WaitAsync(Timeouts.Exchange));
        Assert.Equal(1, await stream.ReadAsync(new byte[8]).AsTask().WaitAsync(Timeouts.Exchange));

        // Idle for long, as in a pool of connections: still nothing to read.
        await Task.Delay(150);
        Task<int> still = stream.ReadAsync(Memory<byte>.Empty).AsTask();
        Assert.False(still.IsCompleted);
    }

    /// <summary>HttpClient reads before it uses a connection again: what is there by then is no answer to what it is about to ask.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_came_since_the_last_answer_is_seen_without_waiting_for_the_loop(bool surplus)
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        await stream.WriteAsync("question"u8.ToArray());
        peer.Send("answer"u8);
        byte[] buffer = new byte[64];
        Assert.Equal(6, await stream.ReadAsync(buffer).AsTask().WaitAsync(Timeouts.Exchange));
        TaskCompletionSource busy = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using ManualResetEventSlim release = new();
        try
        {
            _transport.Resources.Loops[0].Post(new Blocker(_transport.Resources.Loops[0], busy, release));
            await busy.Task.WaitAsync(Timeouts.Exchange);
            if (surplus)
            {
                peer.Send("forged"u8);
            }
            else
            {
                peer.Shutdown(SocketShutdown.Send);
            }

            await Task.Delay(20);
            Task<int> read = stream.ReadAsync(buffer).AsTask();
            Assert.True(read.IsCompleted);
            Assert.Equal(surplus ? 6 : 0, await read);
        }
        finally
        {
            release.Set();
        }
    }

    [Fact]
    public async Task A_reset_that_a_write_has_heard_of_is_no_clean_end_for_the_reader()
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        Task write = stream.WriteAsync(new byte[32 << 20]).AsTask();
        peer.Send("cut"u8);
        byte[] buffer = new byte[64];
        Assert.Equal(3, await stream.ReadAsync(buffer).AsTask().WaitAsync(Timeouts.Exchange));

        // With bytes unread a close is a reset.
        peer.Close();
        await Assert.ThrowsAsync<IOException>(() => write.WaitAsync(Timeouts.Exchange));
        await Assert.ThrowsAsync<IOException>(() => stream.ReadAsync(buffer).AsTask().WaitAsync(Timeouts.Exchange));
    }

    [Fact]
    public async Task A_reset_fails_reads_and_writes_as_sockets_of_the_runtime_do()
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        Task<int> read = stream.ReadAsync(new byte[8]).AsTask();
        peer.LingerState = new LingerOption(true, 0);
        peer.Close();
        IOException failed = await Assert.ThrowsAsync<IOException>(() => read.WaitAsync(Timeouts.Exchange));
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(failed.InnerException).SocketErrorCode);
        await Assert.ThrowsAsync<IOException>(async () => await stream.WriteAsync(new byte[8]));
    }

    [Fact]
    public async Task A_full_socket_makes_a_write_wait_until_the_peer_reads()
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        byte[] much = new byte[32 << 20];
        Task write = stream.WriteAsync(much).AsTask();
        await Task.Delay(50);
        Assert.False(write.IsCompleted);
        byte[] buffer = new byte[1 << 20];
        for (int read = 0; read < much.Length;)
        {
            int some = await peer.ReceiveAsync(buffer).WaitAsync(Timeouts.Exchange);
            Assert.NotEqual(0, some);
            read += some;
        }

        await write.WaitAsync(Timeouts.Exchange);
    }

    [Fact]
    public async Task Disposing_fails_what_waits_and_closes_the_connection()
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        Task<int> read = stream.ReadAsync(new byte[8]).AsTask();
        Task write = stream.WriteAsync(new byte[32 << 20]).AsTask();
        await stream.DisposeAsync();
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => read.WaitAsync(Timeouts.Exchange));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => write.WaitAsync(Timeouts.Exchange));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync(new byte[8]).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.WriteAsync(new byte[8]));
        await ReadToEndAsync(peer);
    }

    [Fact]
    public async Task A_cancelled_operation_ends_and_the_next_one_works()
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        using CancellationTokenSource stop = new();
        Task<int> read = stream.ReadAsync(new byte[8], stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Timeouts.Exchange));
        peer.Send("x"u8);
        Assert.Equal(1, await stream.ReadAsync(new byte[8]).AsTask().WaitAsync(Timeouts.Exchange));
    }

    [Fact]
    public async Task A_second_operation_of_a_kind_is_refused()
    {
        (Stream stream, _) = await ConnectAsync();
        _ = stream.ReadAsync(new byte[8]).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(() => stream.ReadAsync(new byte[8]).AsTask());
        _ = stream.WriteAsync(new byte[32 << 20]).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.WriteAsync(new byte[8]));
    }

    [Fact]
    public async Task A_port_where_nobody_listens_refuses()
    {
        int port = ((IPEndPoint)_backend.LocalEndpoint).Port;
        _backend.Stop();
        SocketException refused = await Assert.ThrowsAsync<SocketException>(
            async () => await _connector.ConnectAsync(0, new DnsEndPoint("127.0.0.1", port), default));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        Assert.Empty(Sockets());
    }

    [Fact]
    public async Task A_name_that_does_not_exist_is_not_found() =>
        Assert.Equal(
            SocketError.HostNotFound,
            (await Assert.ThrowsAsync<SocketException>(
                async () => await _connector.ConnectAsync(0, new DnsEndPoint("no-such-name.invalid", 80), default))).SocketErrorCode);

    [Fact]
    public async Task The_next_address_is_tried_when_one_refuses()
    {
        // localhost is ::1 as well where the machine has IPv6; the backend listens on 127.0.0.1 alone.
        int port = ((IPEndPoint)_backend.LocalEndpoint).Port;
        await using Stream stream = await _connector.ConnectAsync(0, new DnsEndPoint("localhost", port), default);
        using Socket peer = await _backend.AcceptSocketAsync();
        peer.Send("x"u8);
        Assert.Equal(1, await stream.ReadAsync(new byte[8]).AsTask().WaitAsync(Timeouts.Exchange));
    }

    [Fact]
    public async Task A_forgotten_stream_is_closed_by_the_collector()
    {
        Socket peer = await ForgetAsync();
        for (int i = 0; i < 100 && Sockets().Any(); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Delay(10);
        }

        Assert.Empty(Sockets());
        await ReadToEndAsync(peer);
    }

    [Fact]
    public async Task A_stream_that_nobody_holds_stays_open_while_somebody_waits_for_it()
    {
        (Task<int> read, Socket peer) = await ReadAndForgetAsync();
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        peer.Send("x"u8);
        Assert.Equal(1, await read.WaitAsync(Timeouts.Exchange));
    }

    [Fact]
    public async Task One_connection_with_much_to_read_lets_the_others_of_its_loop_have_their_turn()
    {
        (Stream much, Socket source) = await ConnectAsync();
        (Stream little, Socket asked) = await ConnectAsync();
        using CancellationTokenSource enough = new();
        Task flood = Task.Run(() => Flood(source, enough.Token));
        Task drain = DrainAsync(much);
        byte[] buffer = new byte[1];
        for (int i = 0; i < 200; i++)
        {
            Task<int> read = little.ReadAsync(buffer).AsTask();
            asked.Send("x"u8);
            Assert.Equal(1, await read.WaitAsync(Timeouts.AtOnce));
        }

        await enough.CancelAsync();
        await flood.WaitAsync(Timeouts.Exchange);
        source.Close();
        await drain.WaitAsync(Timeouts.Exchange);
    }

    public async ValueTask DisposeAsync()
    {
        DescriptorTable table = _transport.Resources.Table;
        _backend.Dispose();
        _transport.Dispose();
        _pages.Dispose();
        Assert.Empty(table.Sockets());
        await Task.CompletedTask;
    }

    private IEnumerable<BackendSocket> Sockets() => _transport.Resources.Table.Sockets().OfType<BackendSocket>();

    private async Task<(Stream Stream, Socket Peer)> ConnectAsync(int loop = 0)
    {
        Task<Socket> accept = _backend.AcceptSocketAsync();
        DnsEndPoint backend = new("127.0.0.1", ((IPEndPoint)_backend.LocalEndpoint).Port);
        Stream stream = await _connector.ConnectAsync(loop, backend, default).AsTask().WaitAsync(Timeouts.Exchange);
        Socket peer = await accept.WaitAsync(Timeouts.Exchange);
        peer.ReceiveTimeout = (int)Timeouts.Exchange.TotalMilliseconds;
        return (stream, peer);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<Socket> ForgetAsync() => (await ConnectAsync()).Peer;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<(Task<int> Read, Socket Peer)> ReadAndForgetAsync()
    {
        (Stream stream, Socket peer) = await ConnectAsync();
        return (stream.ReadAsync(new byte[8]).AsTask(), peer);
    }

    private static async Task ReadToEndAsync(Socket peer)
    {
        byte[] buffer = new byte[1 << 20];
        while (true)
        {
            try
            {
                if (await peer.ReceiveAsync(buffer).WaitAsync(Timeouts.Exchange) == 0)
                {
                    return;
                }
            }
            catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
            {
                return;
            }
        }
    }

    private static void Flood(Socket source, CancellationToken enough)
    {
        byte[] much = new byte[1 << 20];
        while (!enough.IsCancellationRequested)
        {
            source.Send(much);
        }
    }

    private static async Task DrainAsync(Stream much)
    {
        byte[] buffer = new byte[64 << 10];
        while (await much.ReadAsync(buffer).ConfigureAwait(false) > 0)
        {
        }
    }

    /// <summary>Holds a loop up until it is released.</summary>
    private sealed class Blocker(EventLoop loop, TaskCompletionSource busy, ManualResetEventSlim release) : LoopSocket(loop, -1, 0)
    {
        public override void OnPosted()
        {
            busy.SetResult();
            release.Wait(Timeouts.Exchange);
        }

        public override void OnReady(in Ktls.Kernel.ReadyEvent ready)
        {
        }

        public override void OnDeadline()
        {
        }

        public override void OnFault(Exception fault) => throw fault;
    }
}
