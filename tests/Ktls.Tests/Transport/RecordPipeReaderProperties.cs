using System.Buffers;
using System.IO.Pipelines;
using Aead.Pages;
using TestKit;
using Xunit;

namespace Ktls.Tests.Transport;

// Each script is a row of commands for the reader and for the simplest byte stream there is: three indices.
public class RecordPipeReaderProperties
{
    [Cases(150)]
    public void Every_byte_is_shown_in_order_until_it_is_consumed_and_every_copy_comes_back(byte[] script) => Run(script, Delivery.Copy);

    [Cases(150)]
    public void Every_byte_is_shown_in_order_until_it_is_consumed_and_every_slot_comes_back(byte[] script) => Run(script, Delivery.Flip);

    private static void Run(byte[] script, Delivery delivery)
    {
        using ReaderBench bench = new(delivery);
        long arrived = 0, examined = 0, consumed = 0;
        ReadOnlySequence<byte>? shown = null;
        for (int i = 0; i + 2 < script.Length; i += 3)
        {
            if (script[i] % 3 == 0)
            {
                // Leases of very different sizes, also many at once.
                int length = 1 + (script[i + 1] * script[i + 2] / 4);
                bench.Deliver(length, 1 + (script[i + 1] % 7));
                bench.Reader.OnReadable(peerClosed: false);
                arrived += length + 1 + (script[i + 1] % 7);
            }
            else if (shown is { } buffer && script[i] % 3 == 1)
            {
                long taken = buffer.Length * script[i + 1] / 255;
                long seen = taken + ((buffer.Length - taken) * script[i + 2] / 255);
                examined = consumed + seen;
                consumed += taken;
                bench.Reader.AdvanceTo(buffer.GetPosition(taken), buffer.GetPosition(seen));
                shown = null;
            }
            else if (shown == null)
            {
                shown = Read(bench, consumed, examined, arrived);
            }
        }

        if (shown != null)
        {
            bench.Reader.AdvanceTo(shown.Value.End);
        }
    }

    private static ReadOnlySequence<byte>? Read(ReaderBench bench, long consumed, long examined, long arrived)
    {
        bool any = bench.Reader.TryRead(out ReadResult result);
        if (!any)
        {
            Assert.Equal(arrived, examined);
            return null;
        }

        Assert.True(result.Buffer.Length <= arrived - consumed);
        Assert.True(consumed + result.Buffer.Length > examined, "A read completed although nothing is new.");
        long index = consumed;
        foreach (ReadOnlyMemory<byte> part in result.Buffer)
        {
            foreach (byte b in part.Span)
            {
                Assert.Equal(ReaderBench.ByteAt(index++), b);
            }
        }

        return result.Buffer;
    }
}
