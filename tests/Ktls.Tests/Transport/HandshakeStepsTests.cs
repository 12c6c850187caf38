using System.Buffers;
using System.IO.Pipelines;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Ktls.Tests.Transport;

// Does a flood of handshakes leave the thread pool to others?
public class HandshakeStepsTests
{
    [Fact]
    public async Task What_others_queue_waits_for_as_many_steps_as_there_are_workers()
    {
        const int Flood = 500;
        HandshakeSteps steps = new();
        Countdown done = new(Flood);
        for (int i = 0; i < Flood; i++)
        {
            steps.Add(new Step(done, milliseconds: 1));
        }

        // One step for each worker, and room for a machine that lets one thread wait while others go on.
        for (int i = 0; i < 3; i++)
        {
            int before = done.Count;
            TaskCompletionSource<int> served = new();
            ThreadPool.UnsafeQueueUserWorkItem(_ => served.SetResult(done.Count), null);
            Assert.InRange(await served.Task.WaitAsync(TestKit.Timeouts.Exchange) - before, 0, Flood / 10);
        }

        await done.Task.WaitAsync(TestKit.Timeouts.Exchange);
    }

    [Fact]
    public async Task No_step_is_forgotten_and_none_runs_beside_too_many_others()
    {
        const int Threads = 4;
        const int Each = 5_000;
        HandshakeSteps steps = new();
        Countdown done = new(Threads * Each);
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                steps.Add(new Step(done, milliseconds: 0));
            }
        })));
        await done.Task.WaitAsync(TestKit.Timeouts.Exchange);
        Assert.InRange(done.AtOnceMax, 1, HandshakeSteps.WorkersMax);
    }

    /// <summary>Not even when no handshake gets on at all.</summary>
    [Fact]
    public async Task An_established_connection_waits_for_no_step()
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync();
        using ManualResetEventSlim gate = new();
        for (int i = 0; i < HandshakeSteps.WorkersMax; i++)
        {
            host.Resources.HandshakeSteps.Add(new Gate(gate));
        }

        Task<(RecordStream Client, ConnectionContext Connection)> other = host.ConnectAsync();
        for (int i = 0; i < 10; i++)
        {
            client.Send([(byte)i]);
            ReadResult read = await connection.Transport.Input.ReadAsync().AsTask().WaitAsync(TestKit.Timeouts.Exchange);
            Assert.Equal([(byte)i], read.Buffer.ToArray());
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
        }

        Assert.False(other.IsCompleted);
        gate.Set();
        await other;
    }

    private sealed class Gate(ManualResetEventSlim gate) : IThreadPoolWorkItem
    {
        public void Execute() => gate.Wait(TestKit.Timeouts.Exchange);
    }

    private sealed class Step(Countdown done, int milliseconds) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            done.Enter();
            Thread.Sleep(milliseconds);
            done.Leave();
        }
    }

    private sealed class Countdown(int total)
    {
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _inside;
        private int _done;

        public Task Task => _all.Task;

        public int Count => Volatile.Read(ref _done);

        public int AtOnceMax { get; private set; }

        public void Enter()
        {
            int inside = Interlocked.Increment(ref _inside);
            lock (_all)
            {
                AtOnceMax = Math.Max(AtOnceMax, inside);
            }
        }

        public void Leave()
        {
            Interlocked.Decrement(ref _inside);
            if (Interlocked.Increment(ref _done) == total)
            {
                _all.SetResult();
            }
        }
    }
}
