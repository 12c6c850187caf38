using System.IO.Pipelines;
using TestKit;
using Xunit;

namespace Ktls.Tests.Transport;

public class GuardedRecordSinkProperties
{
    [Cases(60)]
    public void Writes_of_every_size_arrive_intact_and_in_legal_records(ushort[] sizes, bool oldVersion, byte flushEvery)
    {
        using SinkBench bench = new(oldVersion ? TestRecords.Tls12 : TestRecords.Tls13);
        byte[][] writes = [.. sizes.Take(12).Select((size, i) => TestRecords.Bytes(size * 70_000 / ushort.MaxValue, i))];
        byte[] all = [.. writes.SelectMany(write => write)];
        Task<byte[]> reading = Task.Run(() => bench.Peer.ReceiveData(all.Length));
        for (int i = 0; i < writes.Length; i++)
        {
            // Half of them ask for just what they need, the others take what they are given.
            if (i % 2 == 0)
            {
                bench.Write(writes[i]);
            }
            else
            {
                System.Buffers.BuffersExtensions.Write(bench.Writer, writes[i]);
            }

            if (flushEvery < 128 && i % (1 + (flushEvery % 5)) == 0)
            {
                Flush(bench);
            }
        }

        Flush(bench);
        while (!reading.IsCompleted)
        {
            bench.Writer.OnWritable();
            Thread.Yield();
        }

        Assert.True(all.AsSpan().SequenceEqual(reading.Result));
    }

    // What the loop does when the socket has room again.
    private static void Flush(SinkBench bench)
    {
        Task<FlushResult> flush = bench.Writer.FlushAsync().AsTask();
        while (!flush.IsCompleted)
        {
            bench.Writer.OnWritable();
            Thread.Yield();
        }

        Assert.False(flush.Result.IsCompleted);
    }
}
