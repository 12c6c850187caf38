using System.Diagnostics;
using System.Net.Sockets;
using Aead.Keys;
using Aead.Pages;
using Aead.Records;
using Ktls.Handshake;
using Ktls.Tests.Transport;
using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.ReceivePath;

/// <summary>
/// The whole receive path with one way of delivery: sockets, event loops, a real record layer, and the connection that Kestrel gets. Tells
/// stories one after the other, and says of each whether it ended as it must.
/// </summary>
internal abstract class Storyteller : IAsyncDisposable
{
    private readonly PagePool _clientPages = PagePool.Create(new PagePolicy { BytesMax = 1 << 20, Delivery = Delivery.Copy }, 1);
    private readonly DecryptStage _clientStage;

    protected Storyteller(KeyedServer server, Witness witness)
    {
        (Server, Witness) = (server, witness);
        _clientStage = _clientPages.CreateStage();
    }

    /// <summary>Who looks on.</summary>
    public Witness Witness { get; }

    /// <summary>How long a story may stand still.</summary>
    public TimeSpan Patience { get; init; } = TestKit.Timeouts.Exchange;

    /// <summary>What else is worth a word in a report.</summary>
    public virtual string Remark => "";

    protected KeyedServer Server { get; }

    /// <summary>A policy for few slots, so that a consumer who holds some leaves none.</summary>
    public static PagePolicy Policy(Delivery delivery) => new()
    {
        BytesMax = (TransportResources.Stages + SlotsToFlip) * (256L << 10),
        Delivery = delivery,
        FlipThreshold = FlipThreshold,
    };

    /// <summary>Tells one story.</summary>
    public async Task TellAsync(Story story)
    {
        ClientRecords records = new(story);
        byte[] wire = story.Tampering.Apply(records);
        Expectation expected = Expectation.Of(story, records, wire);
        HandshakeResult keys = new()
        {
            Suite = story.Suite,
            ClientKeys = ReceiveKeys(story),
            ServerKeys = ClientRecords.ServerKeys(story.Suite, story.Seed),
        };
        (TlsConnection connection, Socket client) = Server.Connect(keys);
        using (client)
        {
            Assert.True(IsRight(connection.Layers), $"Another record layer than meant: {connection.Layers}");
            Task sending = SendAsync(client, story.Chunking, wire);
            Consumer consumer = new(story.Habits, connection, Witness);
            End end = await Task.Run(() => consumer.ConsumeAsync(sending)).WaitAsync(Patience);
            await sending.WaitAsync(Patience);
            AlertDescription? alert = AlertIn(story, await ReceiveAsync(client).WaitAsync(Patience));
            client.Dispose();
            await SettleAsync();
            Assert.Empty(Witness.Conclude());
            Judge(story, expected, consumer, end, alert);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Witness.Dispose();
        await Server.DisposeAsync();
        _clientStage.Dispose();
        _clientPages.Dispose();
    }

    /// <summary>Whether these are the record layers the stories are for.</summary>
    protected abstract bool IsRight(RecordLayers layers);

    /// <summary>The keys the record layer starts with.</summary>
    protected virtual DirectionKeys ReceiveKeys(Story story) => ClientRecords.ClientKeys(story.Suite, story.Seed);

    /// <summary>No verified byte is held by anybody.</summary>
    protected virtual bool HasEverythingBack =>
        Server.Pages.Status.CopyBytesInUse == 0 && Server.Pages.Status.SlotsInUse <= TransportResources.Stages;

    /// <summary>Compares what the consumer saw, and what the client was told, with what had to be.</summary>
    protected virtual void Judge(Story story, Expectation expected, Consumer consumer, End end, AlertDescription? alert)
    {
        byte[] seen = consumer.Seen;
        Assert.True(expected.Data.AsSpan().StartsWith(seen), $"The consumer saw {seen.Length} bytes that are no authentic prefix; {end}.");
        if (end != End.Left)
        {
            Assert.Equal((expected.End, expected.Data.Length), (end, seen.Length));
            Assert.Equal(expected.Alert, alert);
        }
    }

    // The client may be refused, and hear of it, before it has sent everything.
    private static async Task SendAsync(Socket client, Chunking chunking, byte[] wire)
    {
        try
        {
            foreach (ReadOnlyMemory<byte> piece in chunking.Cut(wire))
            {
                for (ReadOnlyMemory<byte> rest = piece; rest.Length > 0;)
                {
                    rest = rest[await client.SendAsync(rest)..];
                }

                if (chunking.Unhurried)
                {
                    await Task.Delay(1);
                }
            }

            client.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
        }
    }

    private static async Task<byte[]> ReceiveAsync(Socket client)
    {
        byte[] received = new byte[ReceivedMax];
        int length = 0;
        try
        {
            while (await client.ReceiveAsync(received.AsMemory(length)) is > 0 and int bytes)
            {
                length += bytes;
            }
        }
        catch (SocketException)
        {
            // A reset: what came before it counts.
        }

        return received[..length];
    }

    // What the server says besides answering KeyUpdates with its own: one alert at most, its last word.
    private AlertDescription? AlertIn(Story story, byte[] received)
    {
        using RecordDecryptor decryptor = new(ClientRecords.ServerKeys(story.Suite, story.Seed));
        for (int start = 0; ;)
        {
            DecryptedBatch batch = decryptor.Decrypt(received.AsSpan(start), _clientStage);
            start += batch.Consumed;
            if (batch.End != BatchEnd.Control)
            {
                Assert.Equal((BatchEnd.NeedMoreData, received.Length), (batch.End, start));
                return null;
            }

            if (batch.ControlType == ContentType.Alert)
            {
                Assert.Equal(received.Length, start);
                return (AlertDescription)batch.Control.Span[1];
            }

            decryptor.UpdateKeys();
        }
    }

    private async Task SettleAsync()
    {
        for (long start = Stopwatch.GetTimestamp(); Server.Open > 0 || !HasEverythingBack;)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"Not everything came back: {Server.Open} connections, {Server.Pages.Status}");
            await Task.Delay(1);
        }
    }

    /// <summary>n* in bytes: small enough that both sides of it are usual.</summary>
    public const int FlipThreshold = 3000;

    private const int SlotsToFlip = 4;

    // Answers to as many KeyUpdates as a story can have, and an alert.
    private const int ReceivedMax = 4096;
}
