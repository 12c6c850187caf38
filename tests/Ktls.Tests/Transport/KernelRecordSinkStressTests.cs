using Aead.Records;
using Ktls.Tests.Kernel;
using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.Transport;

public class KernelRecordSinkStressTests
{
    [Fact]
    public async Task Control_records_and_readiness_from_other_threads_leave_the_data_whole()
    {
        using KernelSinkBench bench = new();
        bench.Kernel.MakeRoom(0);
        byte[] all = TestRecords.Bytes(3_000_000, 1);
        using CancellationTokenSource done = new();
        Task reading = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                bench.Kernel.MakeRoom(50_000);
                bench.Sink.OnWritable();
            }
        });
        Task peer = Task.Run(() =>
        {
            for (byte i = 0; i < 100; i++)
            {
                bench.Sink.UpdateKeys(requestPeer: i % 2 == 0);
                bench.Sink.WriteControl(ContentType.Alert, [1, i]);
                Thread.Yield();
            }
        });
        int written = 0;
        for (int i = 0; written < all.Length; i++)
        {
            int count = Math.Min(1 + (i * 37_777 % 60_000), all.Length - written);
            FlushStatus status = bench.Send(all.AsSpan(written, count));
            written += count;
            while (status == FlushStatus.Full)
            {
                Thread.Yield();
                status = bench.Sink.Flush();
            }
        }

        await peer.Within();
        IPendingSend rest = bench.Sink.End(AlertDescription.CloseNotify)!;
        while (rest.Send() != SendStatus.Sent)
        {
            Thread.Yield();
        }

        done.Cancel();
        await reading.Within();
        Assert.True(all.AsSpan().SequenceEqual(bench.Kernel.SentData));
        int generation = 0;
        foreach (FakeRecord record in bench.Kernel.Sent)
        {
            Assert.Equal(generation, record.KeyGeneration);
            generation += record.IsKeyUpdate ? 1 : 0;
        }

        Assert.InRange(generation, 1, 100);
        Assert.Equal(101, bench.Kernel.Sent.Count(record => record.Type == ContentType.Alert));
    }

    [Fact]
    public async Task A_close_in_the_middle_of_a_write_sends_a_prefix_and_then_the_alert()
    {
        for (int round = 0; round < 100; round++)
        {
            using KernelSinkBench bench = new();
            byte[] all = TestRecords.Bytes(400_000, round);
            using Barrier start = new(2);
            Task<IPendingSend?> closing = Task.Run(() =>
            {
                start.SignalAndWait();
                Thread.SpinWait(round * 50);
                return bench.Sink.End(AlertDescription.InternalError);
            });
            start.SignalAndWait();
            for (int written = 0; written < all.Length; written += 4000)
            {
                bench.Send(all.AsSpan(written, 4000));
            }

            IPendingSend rest = (await closing.Within())!;
            Assert.Equal(SendStatus.Sent, rest.Send());
            Assert.True(all.AsSpan().StartsWith(bench.Kernel.SentData));
            Assert.Equal(ContentType.Alert, bench.Kernel.Sent[^1].Type);
            Assert.False(bench.HasKeys);
        }
    }
}
