using System.Runtime.CompilerServices;
using Aead;
using Aead.Algorithms;
using Aead.Records;
using Ktls.Tests.Kernel;
using Ktls.Transport;
using TestKit;
using TestKit.Records;
using Xunit;

namespace Ktls.Tests.Transport;

public class KernelRecordSinkProperties
{
    /// <summary>
    /// Whatever the socket takes at a time, exactly what was flushed arrives, in order, and each key right behind its KeyUpdate.
    /// </summary>
    [Cases(1_000)]
    public void Everything_arrives_in_order_whatever_the_socket_takes(SinkStep[] steps, ushort[] accepts, bool tinyLimits, bool end)
    {
        // No close within reach: the limits here are about KeyUpdates that nobody asked for.
        CipherSuite suite = tinyLimits ? ShortLivedSuite.Create(updateKeysRecords: 7, closeRecords: 1000) : TestRecords.Tls13;
        using KernelSinkBench bench = new(suite);
        bench.Kernel.Accept(accepts.Select(accept => accept % 5 == 0 ? 0 : accept % 7 == 0 ? accept % 10 : (int)accept));
        MemoryStream written = new();
        int controls = 0;
        int updatesAsked = 0;
        foreach ((SinkStep step, int i) in steps.Select((step, i) => (step, i)))
        {
            switch (step.Kind % 5)
            {
                case 0:
                    bench.Sink.UpdateKeys(requestPeer: i % 2 == 0);
                    updatesAsked++;
                    break;
                case 1:
                    bench.Sink.WriteControl(ContentType.Alert, [1, (byte)(100 + controls++)]);
                    break;
                case 2:
                    bench.Sink.OnWritable();
                    break;
                default:
                    byte[] bytes = TestRecords.Bytes(1 + step.Size, i);
                    written.Write(bytes);
                    bench.Send(bytes);
                    break;
            }
        }

        SendStatus status = SendStatus.Sent;
        if (end)
        {
            IPendingSend rest = bench.Sink.End(AlertDescription.CloseNotify)!;
            while ((status = rest.Send()) == SendStatus.Blocked)
            {
            }
        }
        else
        {
            for (int i = 0; i <= accepts.Length; i++)
            {
                bench.Sink.OnWritable();
            }
        }

        Assert.Equal(SendStatus.Sent, status);
        Assert.True(written.ToArray().AsSpan().SequenceEqual(bench.Kernel.SentData));
        FakeRecord[] sent = [.. bench.Kernel.Sent];
        Assert.All(sent, record => Assert.InRange(record.Content.Length, 1, RecordHeader.PlaintextLengthMax));
        Assert.Equal(
            Enumerable.Range(100, controls).Select(number => (byte)number),
            sent.Where(record => record.Type == ContentType.Alert && record.Content[1] >= 100).Select(record => record.Content[1]));
        Assert.Equal(end, sent is [.., { Type: ContentType.Alert, Content: [1, 0] }]);
        AssertKeysFollowTheirUpdates(sent);
        Assert.True(tinyLimits || sent.Count(record => record.IsKeyUpdate) <= updatesAsked);
        if (tinyLimits)
        {
            // One send may make more records than were left, but none begins beyond the limit.
            Assert.All(sent.GroupBy(record => record.KeyGeneration), key => Assert.InRange(key.Count(), 1, 7 + MostRecordsOfOneSend));
        }
    }

    /// <summary>However the limit falls, no more records are made than it and its alerts allow, and what was sent is a prefix.</summary>
    [Cases(1_000)]
    public void A_limit_is_kept_to_the_record(ushort[] sizes, byte limit, bool supportsRekey)
    {
        int closeRecords = 1 + (limit % 40);
        using KernelSinkBench bench = new(ShortLivedSuite.Create(updateKeysRecords: 1000, (ulong)closeRecords), supportsRekey);
        MemoryStream written = new();
        FlushStatus status = FlushStatus.Completed;
        foreach (ushort size in sizes)
        {
            byte[] bytes = TestRecords.Bytes(1 + (size * 3), size);
            written.Write(bytes);
            status = bench.Send(bytes);
        }

        IPendingSend? rest = bench.Sink.End(AlertDescription.CloseNotify);
        Assert.Equal(status == FlushStatus.Closed, rest == null);
        Assert.Equal(SendStatus.Sent, rest?.Send() ?? SendStatus.Sent);
        byte[] sent = bench.Kernel.SentData;
        Assert.True(written.ToArray().AsSpan().StartsWith(sent));
        Assert.True(rest == null || sent.Length == written.Length);
        Assert.InRange(bench.Kernel.Sent.Count, 0, closeRecords + UsageLimit.AlertRecords);
        Assert.InRange(bench.Kernel.Sent.Count(record => record.IsData), 0, closeRecords);
    }

    private static void AssertKeysFollowTheirUpdates(FakeRecord[] sent, [CallerArgumentExpression(nameof(sent))] string? what = null)
    {
        int generation = 0;
        foreach (FakeRecord record in sent)
        {
            Assert.True(record.KeyGeneration == generation, $"{what}: {record} has key {record.KeyGeneration} instead of {generation}.");
            generation += record.IsKeyUpdate ? 1 : 0;
        }
    }

    private const int MostRecordsOfOneSend = 40;

    /// <summary>What happens next and how much of it.</summary>
    public readonly record struct SinkStep(byte Kind, ushort Size);
}
